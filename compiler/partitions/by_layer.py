"""Every layer on its own."""

from __future__ import annotations

from ir.program import NetProgram

from .partition import Flow, Partition, Partitioning, fed_blobs


def by_layer(program: NetProgram) -> Partitioning:
    """Every layer on its own. All versions of an in-place blob are in one memory, as in Caffe."""
    parts = []
    for number, layer in enumerate(program.layers):
        flow = Flow()
        if layer.needs_backward:
            bottoms = zip(layer.bottoms, layer.backward_bottoms, strict=True)
            tops = zip(layer.tops, layer.top_values, strict=True)
            flow = Flow(
                given=frozenset(name for name, v in tops if v.type.dtype.is_float),
                wanted=frozenset(name for name, flows in bottoms if flows),
            )
        reads = {name: name for name in layer.bottoms}
        parts.append(Partition(layer.name, number, number + 1, reads, flow, flow))
    fed = {name: name for name in fed_blobs(program)}
    return Partitioning(tuple(parts), tuple(program.blobs), fed, by_layer=True)
