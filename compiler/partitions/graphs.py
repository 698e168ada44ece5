"""The graphs of a partition: forward, backward, both in one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from ir.graph import Graph, Port, Role, Value
from ir.program import LayerInfo, NetProgram
from ir.types import TensorType

from ..options import CompileOptions
from ..passes.accumulate import accumulate, written_diffs
from ..passes.autodiff import differentiate, split
from ..passes.context import context_for
from ..passes.freeze import freeze
from .partition import Flow, Partition
from .trimmed import found_port, without_trims

Onto = frozenset[str] | None
"""Names of the variables to whose diffs a backward adds; None: to all."""


class PartitionGraphs:
    """The graphs of a partition, made when they are asked for.

    Of a program whose types hold symbols they are for all its sizes; see
    :class:`.sized.SizedPartition`.

    Port names: DATA and RESULT blobs as they are in memory, ``diff:<blob>`` their diffs (SEED and
    RESULT), variables (PARAMETER, STATE) and their diffs (GRADIENT), and SAVED values that forward
    keeps for backward.

    Backward overwrites the diffs of variables, but those that ``onto`` names: it adds to them.

    Args:
        program: the net, or the partition lowered alone.
        layers: those of the partition.
        held: blobs that have memory.

    Attributes:
        forward: what the layers compute, and no more.
        reads: what comes from outside, by the blobs' names.
        tops: of the layers in order, what has memory: its name there, type and loss weight.
        sizes: what the graphs are made for: shapes of ``reads``, and of what those do not tell.
        shares_data: the tops are the bottom's data under other shapes, so that nothing has to run.
        trimmed: tops of which only so many rows count, by their names in memory.
    """

    def __init__(
        self,
        program: NetProgram,
        layers: Sequence[LayerInfo],
        partition: Partition,
        held: Collection[str],
    ) -> None:
        self.layers = layers
        nodes = program.graph.nodes[layers[0].first : layers[-1].last] if layers else ()
        made = {v for n in nodes for v in n.outputs}
        places: dict[Value, str] = {}  # of the blobs' versions, in memory
        self.reads: dict[str, Value] = {}
        self.tops: list[tuple[str, TensorType, float]] = []
        latest: dict[str, Value] = {}
        for layer in layers:
            for name, v in zip(layer.bottoms, layer.bottom_values, strict=True):
                if v not in made:
                    self.reads.setdefault(name, v)
                    places[v] = partition.reads.get(name, name)
            tops = zip(layer.tops, layer.top_values, layer.loss_weights, strict=True)
            for name, v, weight in tops:
                places[v] = place = name if v in made else partition.reads.get(name, name)
                if place in held:
                    self.tops.append((place, v.type, weight))
                    latest[place] = v
        nodes, self.trimmed = without_trims(nodes, places, latest)
        read = {v for n in nodes for v in n.inputs if v not in made}
        own = {p.value for p in program.graph.inputs}
        crossing = [v for v in places if v in read and v not in own]
        inputs = [Port(places[v], v, Role.DATA) for v in crossing] + [
            replace(p, name=places.get(p.value, p.name))
            for p in program.graph.inputs
            if p.value in read or p.value in places
        ]
        shown = [name for name in program.outputs if name in latest]
        shown += [name for name, v in latest.items() if v in made and name not in shown]
        outputs = [
            Port(n, self.trimmed[n].rows if n in self.trimmed else latest[n], Role.RESULT)
            for n in shown
        ]
        outputs += [found_port(name, each) for name, each in self.trimmed.items()]
        states = [p for p in program.graph.outputs if p.role is Role.STATE and p.value in made]
        self.forward = Graph(partition.name, tuple(inputs), nodes, (*outputs, *states))
        last = {versions[-1] for versions in program.blobs.values()}
        self._places = places
        self._lasting = {
            v: place
            for v, place in places.items()
            if place in held and (v in last or (place not in partition.reads and v not in made))
        }
        self._learning = [
            p.name for p in inputs if p.role is Role.PARAMETER and program.variables[p.name].learns
        ]
        self._joint: dict[Flow, Graph] = {}
        self._adding: dict[tuple[Graph, frozenset[str]], Graph] = {}
        self._pairs: dict[Flow, tuple[Graph, Graph]] = {}
        self._frozen: tuple[Graph, Graph] | None = None
        asked = {name for layer in layers for name in layer.sizes}
        self.sizes = {name: v.shape for name, v in self.reads.items()} | {
            name: v.shape
            for layer in layers
            for name, v in zip(layer.tops, layer.top_values, strict=True)
            if name in asked and places[v] in held
        }
        self.shares_data = _shares_data(program, layers)

    def frozen(self, options: CompileOptions) -> tuple[Graph, Graph]:
        """What to run once, and forward, where parameters never change.

        BatchNorm and Scale become part of the weights. Where passes are named nothing else may
        run: then the first graph is empty.
        """
        if self._frozen is None:
            self._frozen = frozen(self.forward, options)
        return self._frozen

    def joint(self, flow: Flow, onto: Onto = frozenset()) -> Graph:
        """Forward and backward in one."""
        if flow not in self._joint:
            self._joint[flow] = self._differentiated(flow)
        return self._added(self._joint[flow], onto)

    def behind(self, flow: Flow, onto: Onto = frozenset()) -> Graph:
        """The backward of :meth:`pair`."""
        return self._added(self.pair(flow)[1], onto)

    def _added(self, graph: Graph, onto: Onto) -> Graph:
        writes = written_diffs(graph)
        names = writes if onto is None else writes & onto
        if not names:
            return graph
        if (graph, names) not in self._adding:
            self._adding[graph, names] = accumulate(graph, names)
        return self._adding[graph, names]

    def pair(self, flow: Flow) -> tuple[Graph, Graph]:
        """Forward, which saves what backward reads, and backward; without nodes and outputs where
        no diff flows."""
        if flow not in self._pairs:
            self._pairs[flow] = (
                split(self._differentiated(flow), self._lasting)
                if flow.given or flow.seeds or flow.wanted
                else (self.forward, Graph(self.forward.name))
            )
        return self._pairs[flow]

    def _differentiated(self, flow: Flow) -> Graph:
        shown = [p.name for p in self.forward.outputs if p.role is Role.RESULT]
        reads = {name: v for name, v in self.reads.items() if name in flow.wanted}
        return differentiate(
            self.forward,
            parameters=self._learning,
            diffs={self._places[v]: v for v in reads.values()},
            seeds={name: weight for name, weight in flow.seeds.items() if name in shown},
            seeded=[n for n in shown if n in flow.given and n not in self.trimmed],
            scaled=flow.scaled,
        )


def _shares_data(program: NetProgram, layers: Sequence[LayerInfo]) -> bool:
    """Not where a later layer writes a top in place: that would overwrite what the bottom's layer
    left, which its backward may read."""
    if len(layers) != 1 or not layers[0].shares_data:
        return False
    (layer,) = layers
    written = any(len(program.blobs[name]) > 1 for name in layer.tops)
    return not written and program.blobs[layer.bottoms[0]][-1] is layer.bottom_values[0]


def frozen(graph: Graph, options: CompileOptions) -> tuple[Graph, Graph]:
    """What to run once, and the rest of a forward graph; see :meth:`PartitionGraphs.frozen`."""
    if options.passes is not None:
        return Graph(f"{graph.name}.constants"), graph
    return freeze(graph, context_for(graph, options))
