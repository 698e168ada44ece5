"""Non-maximum suppression on CPUs: every decision is that of single precision."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.c.lower import lower_to_c
from compiler.options import CompileOptions
from ir.ops.suppression import NonMaximum
from ir.types import I32, TensorType
from tests.interpret.kernel_runner import run_launches, single
from tests.support import c_kernels
from tests.support.c_kernels import needs_compiler
from tests.support.overlapping_boxes import KINDS, OPS

SHAPES = ((1, 1), (3, 20), (2, 150), (70, 33), (1, 500))
"""One with more rows than programs."""


@needs_compiler
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("op", OPS, ids=str)
def test_as_the_reference_on_any_number_of_threads(op: NonMaximum) -> None:
    rng = np.random.default_rng(5)
    for rows, length in SHAPES:
        node = single(op, (rows, length, 4), TensorType((rows,), I32))
        launches = lower_to_c(node, CompileOptions(target=c_kernels.machine()))
        kernels = [launch.kernel for launch in launches]
        for threads in (1, 3):
            launcher = c_kernels.launcher_of(kernels, threads)
            for kind in KINDS:
                boxes = kind(rng, rows, length)
                counts = rng.integers(-1, length + 3, rows).astype(np.int32)
                found = run_launches(launches, node, [boxes, counts], by=launcher)
                for have, want in zip(found, op.reference([boxes, counts], []), strict=True):
                    np.testing.assert_array_equal(have, want, f"{kind.__name__} {boxes.shape}")
