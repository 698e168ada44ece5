"""What ops say of themselves is what their references do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from compiler.passes.fusion.patterns import OpPattern, pattern_of
from ir import expr as e
from ir.build import Builder
from ir.graph import Node, Value
from ir.layout import Layout
from ir.layout_numpy import memory_of
from ir.op import DEVIATIONS, Op, Property, channel_axis
from ir.ops.convolution import Conv, ConvInputGrad, ConvWeightGrad
from ir.ops.fusion import Fused
from ir.ops.matmul import MatMul
from ir.ops.movement import Transpose
from ir.types import TensorType
from tests.support.op_cases import OpCase, all_cases

CASES = all_cases()


def deviations(x: np.ndarray, axis: tuple[int, ...], keepdims: bool) -> np.ndarray:
    return np.var(x, axis, keepdims=keepdims) * np.prod([x.shape[a] for a in axis])


FOLDS = {"sum": np.sum, "prod": np.prod, "max": np.max, "min": np.min, DEVIATIONS: deviations}


def run(case: OpCase, arrays: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
    return case.op.reference(arrays, case.op.infer([x.type for x in case.inputs]))


def arrays_of(case: OpCase) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [x.array(rng) for x in case.inputs]


@dataclass(frozen=True)
class Silent(Op):
    """Says no more than it must."""

    axis: int = 1
    name = "silent"
    properties = Property.REDUCTION

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        return tuple(inputs)

    def reference(
        self, inputs: Sequence[np.ndarray], results: Sequence[TensorType]
    ) -> Sequence[np.ndarray]:
        return inputs


def test_a_reduction_folds_only_if_it_says_so() -> None:
    x = Value("x", TensorType((2, 3)))
    node = Node(Silent(), (x,), (Value("y", x.type),))
    assert node.op.fold is None and node.op.reduced_axes == ()
    assert pattern_of(node) is OpPattern.SINGLE


@pytest.mark.parametrize("case", [c for c in CASES if c.op.fold], ids=str)
def test_folds(case: OpCase) -> None:
    (x,) = arrays_of(case)
    (result,) = run(case, [x])
    fold = case.op.fold
    assert fold is not None and case.op.properties & Property.REDUCTION
    assert case.op.reduced_axes == fold.axes
    if x.size == 0:
        return
    best = FOLDS[fold.kind](x, axis=fold.axes, keepdims=True)
    if not fold.tie:
        np.testing.assert_allclose(result, best)
        return
    (axis,) = fold.axes
    np.testing.assert_array_equal(np.take_along_axis(x, result, axis), best)
    step = -1 if fold.tie == "first" else 1  # nothing as good lies on that side
    beyond = np.arange(x.shape[axis]).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    assert not ((x == best) & ((beyond - result) * step > 0)).any()


@pytest.mark.parametrize("case", [c for c in CASES if len(c.inputs) == 2], ids=str)
def test_weights_scaled_along_their_channels_scale_the_result(case: OpCase) -> None:
    x, weights = arrays_of(case)
    axis = case.op.weights_channel(weights.ndim)
    if axis is None:
        return
    (result,) = run(case, [x, weights])
    channel = case.op.channel_axis(result.ndim)
    assert channel is not None
    scale = np.arange(1.0, 1.0 + weights.shape[axis])
    scaled = weights * scale.reshape([-1 if i == axis else 1 for i in range(weights.ndim)])
    (found,) = run(case, [x, scaled])
    expected = result * scale.reshape([-1 if i == channel else 1 for i in range(result.ndim)])
    np.testing.assert_allclose(found, expected)


def test_some_contractions_have_no_such_axis() -> None:
    said = {c.op.name: set() for c in CASES if c.op.properties & Property.CONTRACTION}
    for case in CASES:
        if case.op.name in said:
            said[case.op.name].add(case.op.weights_channel(len(case.inputs[1].shape)) is None)
    assert said == {
        "conv": {False}, "conv_input_grad": {False, True}, "conv_weight_grad": {True},
        "matmul": {False},
    }  # fmt: skip


@pytest.mark.parametrize("case", [c for c in CASES if c.op.offset_axis is not None], ids=str)
def test_along_the_offset_axis_everything_moves_by_one_offset(case: OpCase) -> None:
    (kind,) = case.inputs
    (result,) = run(case, [np.arange(float(kind.type.size)).reshape(kind.shape)])
    found = np.stack(np.unravel_index(result.astype(int), kind.shape)) - np.indices(result.shape)
    for axis, moved in enumerate(found):
        assert len(np.unique(moved)) <= 1
        assert axis == case.op.offset_axis or not moved.any()


@pytest.mark.parametrize("case", [c for c in CASES if c.op.parts_axis is not None], ids=str)
def test_parts_stand_one_after_the_other(case: OpCase) -> None:
    arrays = [np.full(x.shape, number) for number, x in enumerate(case.inputs)]
    (result,) = run(case, arrays)
    np.testing.assert_array_equal(result, np.concatenate(arrays, case.op.parts_axis))


PARTED = [
    (case, axis)
    for case in CASES
    for axis in range(len(case.inputs[0].shape) if len(case.inputs) == 1 else 0)
    if case.op.works_by_parts(axis) and case.inputs[0].shape[axis] > 1
]


@pytest.mark.parametrize(("case", "axis"), PARTED, ids=str)
def test_what_works_by_parts_does(case: OpCase, axis: int) -> None:
    (x,) = case.inputs
    whole = np.random.default_rng(1).standard_normal(x.shape)
    parts = np.split(whole, [1], axis)
    types = [case.op.infer([TensorType(part.shape)]) for part in parts]
    found = [case.op.reference([p], t) for p, t in zip(parts, types, strict=True)]
    for pieces, want in zip(zip(*found, strict=True), run(case, [whole]), strict=True):
        np.testing.assert_array_equal(np.concatenate(pieces, axis), want)


@pytest.mark.parametrize("case", [c for c in CASES if c.op.properties & Property.VIEW], ids=str)
@pytest.mark.parametrize("layout", [None, Layout.of((1, 0)), Layout.of((0, 2, 1))], ids=str)
def test_a_view_is_the_same_memory(case: OpCase, layout: Layout | None) -> None:
    """In whatever order the operand lies, if the op can name the result's."""
    (x,) = case.inputs
    fits = layout is not None and len(layout.parts) == len(x.shape)
    operand = replace(x.type, layout=layout if fits else x.layout)
    view = case.op.viewed(operand)
    if fits and view is None:
        return
    assert view is not None and view.logical == case.op.infer([x.type])[0]
    array = np.arange(1.0, 1.0 + x.type.size).reshape(x.shape)
    (result,) = run(case, [array])
    read = memory_of(np.ones(view.shape, bool), view)  # not what fills up blocks
    np.testing.assert_array_equal(memory_of(result, view)[read], memory_of(array, operand)[read])


@pytest.mark.parametrize("case", [c for c in CASES if c.op.images], ids=str)
def test_images_are_told_from_weights(case: OpCase) -> None:
    """More images make larger images of what is one, and no larger weights."""
    assert case.op.properties & Property.CONTRACTION or case.op.patches  # a part of one
    *operands, result = case.op.images
    larger = [
        replace(x.type, shape=(2 * x.shape[0], *x.shape[1:])) if image else x.type
        for x, image in zip(case.inputs, operands, strict=True)
    ]
    (before,), (after,) = case.op.infer([x.type for x in case.inputs]), case.op.infer(larger)
    assert (after.shape[0] > before.shape[0]) == result


def test_transposes_say_where_the_channels_go() -> None:
    for order in [(0, 1, 2), (0, 2, 1), (1, 0, 2), (2, 0, 1)]:
        x = np.broadcast_to(np.arange(3)[:, None], (2, 3, 4))
        op = Transpose(order)
        axis = op.channel_axis(3)
        assert axis is not None
        (y,) = op.reference([x], op.infer([TensorType(x.shape)]))
        assert (np.moveaxis(y, axis, -1) == np.arange(3)).all()
    assert channel_axis(4) == 1 and channel_axis(1) is None
    assert Transpose((0,)).channel_axis(1) is None


@pytest.mark.parametrize("case", [c for c in CASES if c.op.name not in ("fused", "loop")], ids=str)
def test_what_may_alias_is_read_at_one_place(case: OpCase) -> None:
    """Where an op says so, another number at one place of an operand changes only that place."""
    types = case.op.infer([x.type for x in case.inputs])
    arrays = arrays_of(case)
    for i, array in enumerate(arrays):
        aliases = [n for n, t in enumerate(types) if case.op.may_alias(array.shape, t.shape)]
        if not aliases or not array.size:
            continue
        place = array.size // 2
        moved = array.copy()
        moved.flat[place] = not moved.flat[place] if array.dtype == bool else moved.flat[place] + 1
        before, after = run(case, arrays), run(case, [*arrays[:i], moved, *arrays[i + 1 :]])
        for n in aliases:
            changed = np.flatnonzero((before[n] != after[n]).ravel())
            assert set(changed) <= {place}


@pytest.mark.parametrize(
    ("op", "shapes"),
    [
        (Conv((2, 1), (0, 0), (1, 2), 2), ((3, 4, 7, 9), (6, 2, 3, 2))),
        (ConvInputGrad((2, 1), (0, 0), (1, 1), 2, (7, 5)), ((3, 6, 3, 4), (6, 2, 3, 2))),
        (ConvWeightGrad((2,), (0,), (1,), 2, (3,)), ((3, 4, 7), (3, 6, 3))),
        (MatMul(), ((2, 5, 3), (2, 3, 7))),
        (MatMul(transpose_a=True, transpose_b=True), ((3, 5), (7, 3))),
    ],
    ids=lambda part: part.name if isinstance(part, Op) else "",
)
def test_multiply_adds_are_what_ones_sum_up_to(op: Op, shapes: Sequence[tuple[int, ...]]) -> None:
    types = [TensorType(shape) for shape in shapes]
    results = op.infer(types)
    (ones,) = op.reference([np.ones(shape) for shape in shapes], results)
    assert op.multiply_adds(types, results) == ones.sum() > 0


def test_a_group_has_the_multiply_adds_of_its_nodes() -> None:
    b = Builder("body")
    x, w = b.input("x", TensorType((2, 3))), b.input("w", TensorType((3, 5)))
    b.output("y", b.map(e.tanh(e.arg(0)), b.matmul(x, w)))
    fused = Fused("group", "contract", b.finish())
    assert fused.multiply_adds([], []) == 2 * 3 * 5
