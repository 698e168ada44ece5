"""The whole net in as few partitions as there can be."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ir.errors import RoasteryError
from ir.graph import Node, Role, Value
from ir.program import NetProgram

from ..passes.autodiff import flowing
from .partition import Flow, Partition, Partitioning, fed_blobs


def whole(
    program: NetProgram, observe: Sequence[str] = (), *, in_one: bool = False
) -> Partitioning:
    """As few partitions as there can be: most often one.

    A layer whose tops' sizes only its run tells (a Python layer, Filter) is one of its own, so
    that what comes after it is planned for the sizes that came; one that only counts rows
    (DetectionOutput) is the last of its own.

    Args:
        observe: inner blobs that have memory besides the outputs.
        in_one: one partition all the same, to be looked at.
    """
    missing = [name for name in observe if name not in program.blobs]
    if missing:
        raise RoasteryError(
            f"there is no blob '{missing[0]}' to observe",
            hint=f"blobs: {', '.join(program.blobs)}",
        )
    ranges = [(0, len(program.layers))] if in_one else _ranges(program)
    return _Whole(program, observe, ranges).partitioning()


class _Whole:
    def __init__(
        self, program: NetProgram, observe: Sequence[str], ranges: Iterable[tuple[int, int]]
    ) -> None:
        self.program = program
        self.observed = tuple(observe)
        self.fed = fed_blobs(program)
        # Fed blobs that a layer writes in place: what came in stays, for a pass that runs again.
        self.places = {
            v: name if v is program.blobs[name][-1] else f"{name} (as it came in)"
            for name, v in self.fed.items()
        }
        self.ranges = list(ranges)
        self.entering = [self._entering(first, last) for first, last in self.ranges]
        held = {*program.outputs, *observe, *program.loss_weights, *self.places.values()}
        self.held = held.union(*self.entering)
        self.crossing = {v for reads in self.entering for v in reads.values()} - {*self.places}

    def _entering(self, first: int, last: int) -> dict[str, Value]:
        """What the layers read that none of them makes, or that is fed."""
        found: dict[str, Value] = {}
        made: set[Value] = set()
        for layer in self.program.layers[first:last]:
            for name, value in zip(layer.bottoms, layer.bottom_values, strict=True):
                if value not in made:
                    found.setdefault(name, value)
            made.update(v for v in layer.top_values if v not in self.places)
        return found

    def partitioning(self) -> Partitioning:
        program = self.program
        learning = [
            p.value
            for p in program.graph.inputs
            if p.role is Role.PARAMETER and program.variables[p.name].learns
        ]
        inputs = {v for v in self.fed.values() if v.type.dtype.is_float}
        shown = [program.blobs[name][-1] for name in program.outputs]
        outputs = {v for v in shown if v.type.dtype.is_float}
        losses = {
            v: weight
            for layer in program.layers
            for v, weight in zip(layer.top_values, layer.loss_weights, strict=True)
            if weight
        }
        hidden = {v: weight for v, weight in losses.items() if v not in outputs}
        training = self._flows(learning, losses, set(), set())
        apart = self._flows([*learning, *inputs], hidden, outputs, inputs)
        parts = tuple(
            Partition(program.graph.name, *bounds, self._reads(number), flow, alone)
            for number, (bounds, flow, alone) in enumerate(
                zip(self.ranges, training, apart, strict=True)
            )
        )
        held = [name for name in (*program.blobs, *self.places.values()) if name in self.held]
        fed = {name: self.places[v] for name, v in self.fed.items()}
        return Partitioning(parts, tuple(dict.fromkeys(held)), fed, observed=self.observed)

    def _reads(self, number: int) -> dict[str, str]:
        found = {name: self.places.get(v, name) for name, v in self.entering[number].items()}
        return found | {n: self.places[v] for n, v in self._tops(number) if v in self.places}

    def _tops(self, number: int) -> list[tuple[str, Value]]:
        layers = self.program.layers[slice(*self.ranges[number])]
        return [pair for x in layers for pair in zip(x.tops, x.top_values, strict=True)]

    def _flows(
        self,
        sources: Sequence[Value],
        seeds: Mapping[Value, float],
        given: Collection[Value],
        wanted: Collection[Value],
    ) -> list[Flow]:
        """Per partition, the diffs of a pass from ``seeds`` and ``given`` to ``sources``.

        ``wanted``: inputs that have diffs even where nothing flows.
        """
        ends = flowing(self.program.graph, [*seeds, *given], sources, self.crossing)
        return [
            Flow(
                {name: seeds[v] for name, v in self._tops(number) if v in seeds},
                frozenset(name for name, v in self._tops(number) if v in given or v in ends),
                frozenset(name for name, v in reads.items() if v in wanted or v in ends),
            )
            for number, reads in enumerate(self.entering)
        ]


def _ranges(program: NetProgram) -> Iterator[tuple[int, int]]:
    """Where a program has to be cut: around layers whose sizes only their run tells (behind those
    that only count rows: :mod:`.trimmed`), and behind a loss that a later layer overwrites."""
    cuts = {0, len(program.layers)}
    for number, layer in enumerate(program.layers):
        nodes = program.graph.nodes[layer.first : layer.last]
        telling = [node for node in nodes if tells_size(node)]
        if telling:
            cuts.add(number + 1)
        if any(node.op.counted_axis is None for node in telling):
            cuts.add(number)
        for name, value, weight in zip(
            layer.tops, layer.top_values, layer.loss_weights, strict=True
        ):
            if weight and value is not program.blobs[name][-1]:
                cuts.add(number + 1)
    ordered = sorted(cuts)
    return itertools.pairwise(ordered)


def tells_size(node: Node) -> bool:
    """Whether a size of a result comes out only when the node runs."""
    return node.op.tells_size and bool(node.outputs)
