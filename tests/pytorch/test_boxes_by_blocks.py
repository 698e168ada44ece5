"""Boxes are left out by whole blocks, and are those that one by one leaves out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compiler.pytorch.printing.helper_files import helper_text
from ir.ops.suppression import NonMaximum

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("boxes", [0, 1, 7, 64, 65, 200])
@pytest.mark.parametrize("touching", [False, True])
def test_the_boxes_of_the_reference_are_kept(boxes: int, touching: bool) -> None:
    defined: dict[str, Any] = {"torch": torch}
    exec(helper_text("suppressed"), defined)
    rng = np.random.default_rng(boxes)
    for trial, eta in enumerate((1.0, 0.9, 1.0, 0.8) * 6):
        corner = rng.random((3, boxes, 2)) * (1, 3, 9)[trial % 3]
        size = rng.random((3, boxes, 2)) - 0.1
        if trial % 4 == 2:  # many overlaps are equal to the threshold
            corner, size = np.round(corner * 4) / 4, np.round(size * 4) / 4
        rows = np.concatenate([corner, corner + size], -1).astype(np.float32)
        if boxes and trial % 5 == 4:
            rows[0, rng.integers(boxes)] = np.nan
        counts = rng.integers(0, boxes + 2, 3).astype(np.int32)
        op = NonMaximum((0.3, 0.5, 0.7)[trial % 3], eta, (0, 1, 40)[trial % 3], trial % 2, touching)
        with np.errstate(invalid="ignore"):
            expected = op.reference([rows, counts], [])
        found = defined["suppressed"](
            torch.from_numpy(rows),
            torch.from_numpy(counts),
            op.threshold,
            op.eta,
            op.most,
            op.pixel,
            op.touching,
        )
        for got, wanted in zip(found, expected, strict=True):
            np.testing.assert_array_equal(got.numpy(), wanted)
