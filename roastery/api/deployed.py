"""What of a net is exported, whatever it is exported as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from compiler.options import CompileOptions
from compiler.partitions import frozen
from compiler.partitions.trimmed import trimmed_graph
from ir.errors import RoasteryError
from ir.found_rows import tells_rows
from ir.graph import Graph, Node, Role
from ir.graph_sizes import graph_at
from ir.interpret import run_graph
from ir.op import Property
from ir.program import NetProgram
from runtime.artifact.pictures import NO_PICTURES, Pictures
from runtime.artifact.reader import calls_back
from runtime.memory.store import Store

from ..building.logger import LOGGER


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        options: what kernels were compiled by, of which there are so many for GPUs, or in C.
        nbytes: of the file, or of all files.
        baselines: CPUs for which there is machine code, or C.
        path: of the file or folder.
        fixed: shapes of inputs, where it runs at these alone.
        pictures: how they become an input, and what classes are called.
        takes_pictures: whether an input is such as pictures become.
    """

    targets: tuple[str, ...]
    options: CompileOptions
    kernels: int
    nbytes: int
    baselines: tuple[str, ...]
    path: str
    fixed: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    pictures: Pictures = NO_PICTURES
    takes_pictures: bool = False


def deployed(program: NetProgram, options: CompileOptions) -> tuple[Graph, Graph]:
    """What to compute once, and the graph of an artifact: the net's outputs and state alone.

    Without the summed loss, and without nodes that are there for their effect (file outputs).
    Outputs whose number of rows a run tells hold as many as there could be, beside that number.
    """
    return frozen(_shown(program), options)


def computed_once(
    constants: Graph, values: Mapping[str, int], store: Store
) -> dict[str, np.ndarray]:
    """What follows from parameters alone, by name, as numpy computes it.

    Args:
        values: of sizes.
    """
    graph = graph_at(constants, values)
    found = run_graph(graph, [store.data[p.name].peek() for p in graph.inputs])
    return {p.name: a for p, a in zip(graph.outputs, found, strict=True)}


def variables_of(
    graph: Graph, computed: Mapping[str, np.ndarray], store: Store
) -> dict[str, np.ndarray]:
    """By name what a graph reads that nobody feeds: what was computed once, and what was not."""
    return {**computed} | {
        p.name: store.data[p.name].peek()
        for p in graph.inputs
        if p.role in (Role.PARAMETER, Role.STATE) and p.name not in computed
    }


def _shown(program: NetProgram) -> Graph:
    whole, shown = program.graph, program.outputs
    outputs = tuple(
        p
        for p in whole.outputs
        if p.role is not Role.RESULT or p.name in shown or tells_rows(p.name)
    )
    nodes = tuple(node for node in whole.nodes if not _is_sink(node))
    return trimmed_graph(replace(whole, nodes=nodes, outputs=outputs))


def _is_sink(node: Node) -> bool:
    """Whether a node is there for its effect alone."""
    return bool(node.op.properties & Property.EFFECT) and not node.outputs


def check_host(program: NetProgram, kernels: str | None) -> None:
    """Tell of layers that an artifact leaves out, and refuse those that it cannot do without.

    An op that runs on the host without calling back to it (MultiBoxLoss's) is fine on a CPU.

    Args:
        kernels: for what there can be nothing but kernels.
    """
    tell_left_out(program)
    types = {layer.name: layer.type for layer in program.layers}
    for node in _shown(program).nodes:
        if node.op.properties & Property.HOST and kernels and not calls_back(node.op):
            raise RoasteryError(
                f"'{node.op.name}' has no kernel and cannot be exported for {kernels}",
                location=node.location,
                hint="export the net for the CPU: --target=cpu",
            )
        elif node.op.properties & Property.DYNAMIC:
            layer = types.get(node.location.layer, node.op.name)
            raise RoasteryError(
                f"'{node.op.name}' runs on the host and cannot be exported: how many rows "
                f"{layer}'s result has is told by data",
                location=node.location,
                hint="cut the net before it, or compute the layer's tops yourself and make them "
                "inputs",
            )
        elif calls_back(node.op):
            raise RoasteryError(
                f"'{node.op.name}' runs on the host and cannot be exported",
                location=node.location,
                hint="an artifact runs without Python layers: cut the net before it, or compute "
                "the layer's tops yourself and make them inputs",
            )


def tell_left_out(program: NetProgram) -> None:
    """Tell of layers that are there for their effect alone, which nothing exported has."""
    for node in filter(_is_sink, program.graph.nodes):
        LOGGER.warning(
            "%s is left out: it has no top, and what it does is not exported",
            node.location,
        )
