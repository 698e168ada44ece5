"""What backends may rely on in a fused graph, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from compiler.kernel_nodes import kernel_nodes
from compiler.passes.fusion.patterns import OpPattern, pattern_of
from compiler.passes.fusion.slices import in_whole_vectors
from compiler.triton.printer.helpers import HELPERS
from ir.graph import Graph, Node, Value
from ir.op import Property, channel_axis
from ir.ops.fusion import Fused, summing_nodes
from ir.ops.loop import StepLoop
from ir.views import in_whole_blocks


def multiplies_plain_tf32(source: str) -> bool:
    """Whether a kernel in Triton multiplies float32 by single products of tf32."""
    helper = HELPERS["dot_tf32x3"]
    assert '"tf32"' in helper
    return '"tf32"' in source.replace(helper, "")


def check_kernels(graph: Graph) -> None:
    """Raise AssertionError unless every node is a view, a whole, a host op, a loop around such
    nodes, or a group of its family."""
    labels = [n.op.label for n in kernel_nodes(graph) if isinstance(n.op, Fused)]
    assert len(labels) == len(set(labels))
    for node in graph.nodes:
        if isinstance(node.op, StepLoop):
            check_kernels(node.op.body)
            continue
        if not isinstance(node.op, Fused):
            assert pattern_of(node) in (OpPattern.VIEW, OpPattern.WHOLE, OpPattern.HOST)
            continue
        assert node.op.label.isidentifier()
        assert {n.direction for n in node.op.body.nodes} >= {node.direction}
        _CHECKS[node.op.schedule](node.op.body)


def _anchors(body: Graph, kind: OpPattern) -> list[Node]:
    assert {pattern_of(n) for n in body.nodes} <= {kind, OpPattern.FLAT, OpPattern.VIEW}
    return [n for n in body.nodes if pattern_of(n) is kind]


def _after(body: Graph, start: set[Value]) -> list[Node]:
    reached, found = set(start), []
    for node in body.nodes:
        if any(v in reached for v in node.inputs):
            reached.update(node.outputs)
            found.append(node)
    return found


def _contract(body: Graph) -> None:
    sums = summing_nodes(body)
    _summed(body, sums)
    body = replace(
        body,
        nodes=tuple(n for n in body.nodes if n not in sums),
        outputs=tuple(p for p in body.outputs if body.producers[p.value] not in sums),
    )
    (anchor,) = _anchors(body, OpPattern.CONTRACT)
    inputs = {p.value for p in body.inputs}
    for value in anchor.inputs:  # a contraction reads what lies in memory
        while value not in inputs:
            node = body.producers[value]
            if node.op.parts_axis is not None:  # or in several parts of it
                assert in_whole_blocks([x.type for x in node.inputs], node.op.parts_axis)
                assert inputs.issuperset(node.inputs)
                break
            moved = node.op.offset_axis == 0 or in_whole_vectors(node)
            assert moved or node.op.properties & Property.VIEW
            (value,) = node.inputs
    tail = _after(body, set(anchor.outputs))
    for node in tail:
        assert node.op.properties & Property.POINTWISE
        assert node.outputs[0].shape == anchor.outputs[0].shape
    for node in body.nodes:
        if node is not anchor and node not in tail:
            axes = node.op.offset_axis, node.op.parts_axis
            moved = node.op.properties & Property.VIEW or axes != (None, None)
            assert moved or node.op.properties & Property.POINTWISE
    assert all(p.value not in inputs for p in body.outputs)


def _summed(body: Graph, sums: Sequence[Node]) -> None:
    """Reductions of what a contraction's kernel stores: over all but its channels."""
    stored = {p.value for p in body.outputs if body.producers[p.value] not in sums}
    inputs = {p.value for p in body.inputs}
    made = {v for n in sums for v in n.outputs}
    for node in sums:
        assert stored | inputs | made >= set(node.inputs)
        if pattern_of(node) is OpPattern.REDUCE:
            (x,) = node.inputs
            assert x.shape in {v.shape for v in stored}
            axes = [axis for axis in range(x.type.rank) if axis != channel_axis(x.type.rank)]
            assert list(node.op.reduced_axes) == axes
        else:
            assert node.op.properties & Property.POINTWISE


def _reduce(body: Graph) -> None:
    anchors = _anchors(body, OpPattern.REDUCE)
    first = anchors[0]
    assert {a.op.reduced_axes for a in anchors} == {first.op.reduced_axes}
    assert {a.inputs[0].shape for a in anchors} == {first.inputs[0].shape}
    shape = first.outputs[0].shape
    for node in _after(body, {a.outputs[0] for a in anchors}):
        assert node not in anchors, "a reduction of another's result needs a second pass"
        assert node.op.properties & Property.POINTWISE and node.outputs[0].shape == shape
    assert {p.value.shape for p in body.outputs} == {shape}


def _row(body: Graph) -> None:
    anchors = _anchors(body, OpPattern.REDUCE)
    (shape,) = {a.inputs[0].shape for a in anchors}
    reduced = (shape[0], 1, *shape[2:])
    assert {a.op.reduced_axes for a in anchors} == {(1,)} and shape[1] > 1
    for node in _after(body, {a.outputs[0] for a in anchors}):
        assert node in anchors or node.op.properties & Property.POINTWISE
        assert node.outputs[0].shape in (shape, reduced)
    assert {p.value.shape for p in body.outputs} <= {shape, reduced}


def _flat(body: Graph) -> None:
    assert _anchors(body, OpPattern.FLAT)
    assert len({p.value.type.size for p in body.outputs}) == 1


def _single(body: Graph) -> None:
    assert len(body.nodes) == 1


_CHECKS = {
    "contract": _contract,
    "reduce": _reduce,
    "row": _row,
    "flat": _flat,
    "single": _single,
}
