"""The kernels that nets become, in every plan that runs them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from compiler.compiled import CompiledGraph
from compiler.kernel import BESIDE, Config, Launch
from compiler.options import CompileOptions
from compiler.partitions import PartitionGraphs, by_layer
from compiler.passes.autodiff import differentiate
from compiler.pipeline import GraphCompiler, compile_graph
from compiler.triton.lower import lower_node
from ir.graph import Graph
from ir.program import NetProgram
from ir.types import DType
from runtime.memory.store import Group
from runtime.solver.config import SolverConfig
from runtime.solver.update import update_graph


def forward(program: NetProgram) -> CompiledGraph:
    """A forward pass alone, as one graph."""
    graph = general(program).graph
    return GraphCompiler(graph, lower_node, CompileOptions()).at(program.values)


def general(program: NetProgram) -> NetProgram:
    """The program for all its sizes."""
    return program.general or program


def training_graph(program: NetProgram) -> Graph:
    """Forward and backward: from the losses, or from diffs of all outputs where there are none.

    Gives the diffs of parameters, and without a loss also those of inputs.
    """
    learning = [c.name for c in program.variables.values() if c.learns]
    weights = program.loss_weights
    if weights and learning:
        return differentiate(program.graph, parameters=learning, seeds=weights)
    inputs = {
        p.name: p.value
        for p in program.graph.inputs
        if p.name in program.inputs and p.value.type.dtype is DType.F32
    }
    outputs = [
        p.name
        for p in program.graph.outputs
        if p.name in program.outputs and p.value.type.dtype is DType.F32
    ]
    return differentiate(program.graph, parameters=learning, diffs=inputs, seeded=outputs)


def training(program: NetProgram) -> CompiledGraph:
    """Forward and backward as one graph, where nothing is computed again for less memory: that is
    decided for the sizes that a program was lowered at."""
    graph = training_graph(general(program))
    options = CompileOptions(recomputes=False)
    return GraphCompiler(graph, lower_node, options).at(program.values)


def layer_graphs(program: NetProgram) -> Iterator[tuple[Graph, Graph]]:
    """Forward and backward of every layer; backward is empty where no diff flows."""
    plan, program = by_layer(program), general(program)
    for layer, part in zip(program.layers, plan.parts, strict=True):
        yield PartitionGraphs(program, [layer], part, plan.held).pair(part.apart)


def layerwise(program: NetProgram) -> Iterator[CompiledGraph]:
    """Forward and backward of every layer."""
    for pair in layer_graphs(program):
        for graph in pair:
            if graph.nodes:
                yield GraphCompiler(graph, lower_node, CompileOptions()).at(program.values)


def update(size: int, **settings: object) -> CompiledGraph:
    """A solver's update of ``size`` parameters."""
    config = SolverConfig(**settings)  # type: ignore[arg-type]
    return compile_graph(
        update_graph(config, Group(1.0, 1.0, 0, size, ()), size), lower_node, CompileOptions()
    )


def sources(compiled: CompiledGraph) -> list[str]:
    """The text of every kernel, in order of first use."""
    return [kernel.source for kernel in compiled.kernels]


Texts = Mapping[tuple[int, str, tuple[tuple[str, int], ...]], str]


def texts(graphs: Iterable[CompiledGraph]) -> Texts:
    """The text of every launch, by the number of its graph, its label, and its tile.

    Whether a product needs bounds depends on its tile, and that suits the sizes at hand. Whether
    its work is split is no part of a tile: both ways are in one text.
    """
    return {
        (number, launch.label, _tile(launch.config)): launch.kernel.source
        for number, compiled in enumerate(graphs)
        for launch in compiled.launches
    }


def _tile(config: Config) -> tuple[tuple[str, int], ...]:
    return tuple(item for item in config.constants if item[0] != "SPLIT")


def unknown(texts: Texts, others: Texts) -> list[str]:
    """Labels of launches whose text is none of the others', though one there has their tile.

    Shared ones do not count: what happens to be one number for all of their parts is one argument.
    """
    known = set(others.values())
    return [
        key[1]
        for key, text in texts.items()
        if key in others and text not in known and BESIDE not in key[1]
    ]


def distinct(graphs: Iterable[CompiledGraph]) -> Sequence[Launch]:
    """One launch of every kernel in every configuration that is used."""
    found: dict[object, Launch] = {}
    for compiled in graphs:
        for launch in compiled.launches:
            found.setdefault((launch.kernel, launch.config), launch)
    return list(found.values())
