"""Non-maximum suppression by many lanes: of all pairs first, and one box after the other."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_runner import check, fused, lowered, run_launches, scheduled, single

from compiler.kernels.rules.suppression import pairs
from ir.graph import Node
from ir.ops.suppression import NonMaximum
from ir.types import I32, TensorType
from tests.support.overlapping_boxes import KINDS, OPS, whole

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def node_of(op: NonMaximum, rows: int, length: int) -> Node:
    return single(op, (rows, length, 4), TensorType((rows,), I32))


def compare(op: NonMaximum, rows: int, length: int, choice: int = 0) -> None:
    rng = np.random.default_rng(5)
    node = node_of(op, rows, length)
    ways = scheduled(node)
    launches = ways.launches(ways.choices[choice])
    for kind in KINDS:
        boxes = kind(rng, rows, length)
        counts = rng.integers(-1, length + 3, rows).astype(np.int32)
        found = run_launches(launches, node, [boxes, counts])
        for have, want in zip(found, op.reference([boxes, counts], []), strict=True):
            np.testing.assert_array_equal(have, want, f"{kind.__name__} {boxes.shape}")


@pytest.mark.parametrize("op", OPS, ids=str)
def test_as_the_reference(op: NonMaximum) -> None:
    compare(op, 3, 40)


@pytest.mark.parametrize("choice", [0, 1])
@pytest.mark.parametrize("op", [NonMaximum(0.3), NonMaximum(0.9, eta=0.8)], ids=str)
def test_more_boxes_than_lanes(op: NonMaximum, choice: int) -> None:
    compare(op, 1, 300, choice)


@pytest.mark.parametrize("op", OPS[:3], ids=str)
def test_without_memory_for_all_pairs(op: NonMaximum, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "_MOST_BYTES", 0)
    assert [x.kernel.entry for x in lowered(node_of(op, 2, 40))] == ["suppress"]
    compare(op, 2, 40)


def test_programs_in_any_order() -> None:
    boxes = whole(np.random.default_rng(2), 3, 70)
    launches = check(node_of(NonMaximum(0.31), 3, 70), [boxes, np.array([70, 0, 45], np.int32)])
    assert [x.kernel.entry for x in launches] == ["overlap_bits", "suppress_scan"]


@pytest.mark.parametrize("wanted", [0, 1])
@pytest.mark.parametrize("op", [NonMaximum(0.31), NonMaximum(0.9, eta=0.8)], ids=str)
def test_one_result(op: NonMaximum, wanted: int) -> None:
    types = (3, 33, 4), TensorType((3,), I32)
    node = fused(lambda b, *x: b.emit_all(op, *x)[wanted], *types, schedule="single")
    boxes = whole(np.random.default_rng(2), 3, 33)
    check(node, [boxes, np.array([33, 1, 20], np.int32)])
