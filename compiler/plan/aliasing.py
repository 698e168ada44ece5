"""Which values share a buffer: views, and results that overwrite an operand."""

from __future__ import annotations

from ir.graph import Graph, Node, Value
from ir.op import Property
from ir.ops.fusion import Fused, summing_nodes
from ir.ops.loop import StepLoop

WITHOUT_KERNEL = Property.VIEW | Property.WHOLE


def view_roots(graph: Graph) -> dict[Value, Value]:
    """For every view the value whose buffer it shows, for every part of a whole that whole; other
    values stand for themselves."""
    above: dict[Value, Value] = {}
    for node in graph.nodes:
        if node.op.properties & Property.VIEW:
            above.update(dict.fromkeys(node.outputs, node.inputs[0]))
        elif node.op.properties & Property.WHOLE:
            above.update(dict.fromkeys(node.inputs, node.output))

    def root(value: Value) -> Value:
        while value in above:
            value = above[value]
        return value

    return {value: root(value) for value in graph.values()}


def parts_of_wholes(graph: Graph) -> set[Value]:
    """The values that lie in larger ones."""
    return {v for n in graph.nodes if n.op.properties & Property.WHOLE for v in n.inputs}


def may_overwrite(node: Node, operand: Value, result: Value) -> bool:
    """Whether the kernel of ``node`` may write ``result`` into the buffer of ``operand``.

    It may if every element it reads of the operand is one that the same program overwrites
    afterwards: it reads at the same flat position only, and results stored later do not need
    the operand, or have it at hand because this one (of the same shape) has loaded it.
    """
    op = node.op
    if isinstance(op, StepLoop):
        return _steps_overwrite(node, op, operand, result)
    if not isinstance(op, Fused) or operand.type.nbytes != result.type.nbytes:
        return False
    if operand.type.dtype.itemsize != result.type.dtype.itemsize:
        return False
    results = [p.value for p in op.body.outputs]
    place = node.outputs.index(result)
    own = results[place]
    # A kernel of whole rows stores results of the rows' shape last, row by row.
    rows = op.schedule == "row"
    if rows and any(r is not own and r.type.size >= own.type.size for r in results):
        return False
    ports = [p.value for p, v in zip(op.body.inputs, node.inputs, strict=True) if v is operand]
    derived = set(ports)
    summing: set[Node] = set(summing_nodes(op.body)) if op.schedule == "contract" else set()
    for inner in op.body.nodes:
        if not any(v in derived for v in inner.inputs):
            continue
        # What sums up the kernel's results has them at hand, or reads them where they are stored.
        if inner in summing and derived.isdisjoint(set(inner.inputs).difference(results)):
            continue
        if rows and inner.op.properties & Property.REDUCTION:
            continue
        reads = [v for v in inner.inputs if v in derived]
        if not all(_at_one_place(inner, a, b) for a in reads for b in inner.outputs):
            return False
        derived.update(inner.outputs)
    if rows:
        return True
    if not any(v in derived for v in results[place + 1 :]):
        return True
    return own in derived and all(v.shape == own.shape for v in results)


def _steps_overwrite(node: Node, op: StepLoop, operand: Value, result: Value) -> bool:
    """Whether a step may write its part of a stack where its part of a sliced operand lies: what
    reads that runs before, or is the kernel that writes, and may overwrite it."""
    place, number = node.inputs.index(operand), node.outputs.index(result)
    if node.inputs.count(operand) > 1 or place >= op.sliced or number < op.carried:
        return False
    body, roots = op.body, view_roots(op.body)
    part, made = body.inputs[place].value, roots[body.outputs[number].value]
    if part.type.nbytes != made.type.nbytes:
        return False
    kernels = [n for n in body.nodes if not n.op.properties & WITHOUT_KERNEL]
    writer = next((i for i, n in enumerate(kernels) if made in n.outputs), None)
    if writer is None or any(roots[v] is part for n in kernels[writer + 1 :] for v in n.inputs):
        return False
    names = [v for v in dict.fromkeys(kernels[writer].inputs) if roots[v] is part]
    return not names or (len(names) == 1 and may_overwrite(kernels[writer], names[0], made))


def _at_one_place(node: Node, operand: Value, result: Value) -> bool:
    """Whether every element of a result reads the operand at its own place in memory only."""
    view = node.op.properties & Property.VIEW
    laid = operand.type.layout == result.type.layout or view
    return bool(laid) and node.op.may_alias(operand.shape, result.shape)
