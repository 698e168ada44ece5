"""A net as an ONNX model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from onnx import ModelProto, ValueInfoProto, defs, helper

from ir.errors import RoasteryError
from ir.found_rows import counted_results, tells_rows
from ir.graph import Graph, Port, Role, Value
from ir.graph_sizes import told_symbols
from ir.printable import readable
from ir.size import Size, size_text

from . import rules  # noqa: F401  (registers them)
from .names import encodable
from .nodes import emit_graph
from .types import ELEMENT_TYPES
from .writer import Writer

LEAST_OPSET = 17
PRODUCER = "roastery"


@dataclass(frozen=True)
class OnnxNet:
    """What a model is made of.

    Attributes:
        graph: forward, whose parameters never change; extents may be sizes.
        arrays: the parameters and states by the names of the ports.
        blobs: names of blobs by the names of their values.
        version: of this compiler.
        half: whether to compute in float16 where it is good enough, and to hold weights so.
        metadata: what else is to be said of the model: texts by names.
    """

    graph: Graph
    arrays: Mapping[str, np.ndarray]
    blobs: Mapping[str, str]
    version: str
    half: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)


def latest_opset() -> int:
    """The newest that the installed onnx knows."""
    return int(defs.onnx_opset_version())


def onnx_model(net: OnnxNet, opset: int = LEAST_OPSET) -> tuple[ModelProto, tuple[str, ...]]:
    """The model, and notes on what is to be known of it.

    Raises RoasteryError that names all layers which cannot be expressed.
    """
    graph = net.graph
    fed = [port for port in graph.inputs if port.role is Role.DATA]
    sources = {
        key: (encodable(port.name), axis) for key, (port, axis) in told_symbols(graph).items()
    }
    writer = Writer(opset, sources)
    writer.may_halve = net.half
    for port in fed:
        writer.set_name(port.value, writer.names.unique(port.name))
    outputs = [p for p in graph.outputs if p.role is Role.RESULT and not tells_rows(p.name)]
    if not outputs:
        raise RoasteryError(
            "a model needs an output, and this net has none",
            hint="every top is the bottom of another layer: drop those that need none, as Silence",
        )
    for port in graph.inputs:
        if port.role is not Role.DATA:
            writer.set_array(port.value, net.arrays[port.name])
    named = {v: net.blobs[v.name] for v in graph.values() if v.name in net.blobs}
    counts = counted_results(p.name for p in graph.outputs)
    # A result that is cut to the rows that were found gets its name then.
    named |= {port.value: port.name for port in outputs if port.name not in counts}
    called = {port.name: _beside_inputs(writer, port, fed) for port in outputs}
    named = {value: called.get(name, name) for value, name in named.items()}
    writer.shown = {port.value for port in outputs}
    writer.names.reserve(named.values())
    emit_graph(writer, graph, named)
    shown = [_output(writer, graph, port, called[port.name], counts) for port in outputs]
    made = helper.make_graph(
        writer.nodes,
        readable(graph.name) or "net",
        [_information(writer.of(port.value), port.value) for port in fed],
        shown,
        list(writer.initializers.values()),
    )
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(
        made,
        opset_imports=opsets,
        ir_version=helper.find_min_ir_version_for(opsets),
        producer_name=PRODUCER,
        producer_version=net.version,
    )
    helper.set_model_props(
        model, {"roastery_version": net.version, "net": readable(graph.name), **net.metadata}
    )
    return model, tuple(writer.notes)


def _beside_inputs(writer: Writer, port: Port, fed: Sequence[Port]) -> str:
    """What an output is called: not as an input whose blob layers work on in place."""
    names = {encodable(p.name) for p in fed if p.value is not port.value}
    if encodable(port.name) not in names:
        return port.name
    name = f"{port.name}.out"
    while encodable(name) in names:
        name += ".out"
    shown = f"output '{readable(port.name)}' is called '{readable(name)}' in the model"
    writer.notes.setdefault(f"{shown}: an input has its name, and a layer works on it in place")
    return name


def _output(
    writer: Writer, graph: Graph, port: Port, called: str, counts: Mapping[str, tuple[str, int]]
) -> ValueInfoProto:
    """An output of a name of its own, cut to the rows that were found."""
    before = len(writer.nodes)
    name = writer.of(port.value)
    if port.name in counts:
        count, axis = counts[port.name]
        rows = writer.of(graph.output(count).value)
        wanted = writer.names.claim(called)
        inputs = [name, writer.ints([0]), writer.whole(rows), writer.ints([axis])]
        writer.nodes.append(helper.make_node("Slice", inputs, [wanted], wanted))
        return _information(wanted, port.value, {axis: f"rows of {readable(port.name)}"})
    if name != encodable(called):
        wanted = writer.names.claim(called)
        if writer.in_half(port.value) and len(writer.nodes) > before:
            # The cast to float32, made for this alone, is the output itself.
            writer.name_last_cast(port.value, wanted)
        else:
            writer.nodes.append(helper.make_node("Identity", [name], [wanted], wanted))
        name = wanted
    return _information(name, port.value)


def _information(name: str, value: Value, dims: Mapping[int, str] | None = None) -> ValueInfoProto:
    shape = [size_text(d) if isinstance(d, Size) else d for d in value.shape]
    for axis, text in (dims or {}).items():
        shape[axis] = text
    return helper.make_tensor_value_info(name, ELEMENT_TYPES[value.type.dtype], shape)
