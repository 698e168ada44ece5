"""What a partition is: some layers, and which of their blobs and diffs are seen from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ir.graph import Role, Value
from ir.program import NetProgram


@dataclass(frozen=True, eq=False)
class Flow:
    """The diffs that a backward pass carries through a partition, by the names of blobs.

    Attributes:
        seeds: tops whose diffs are these numbers (loss weights), folded into the graph.
        given: tops whose diffs are in memory.
        wanted: what it reads, whose diffs are computed.
        scaled: diffs are multiplied with a number of the net's between ports.
    """

    seeds: Mapping[str, float] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    wanted: frozenset[str] = frozenset()
    scaled: bool = False


@dataclass(frozen=True)
class Partition:
    """The layers ``first`` to ``last`` (excluded) of a program, whatever sizes they have.

    Attributes:
        reads: the blobs that come from outside, and those that its data layers are fed with -> the
            names under which they are in memory.
        training: the diffs of a training pass.
        apart: those of a backward pass alone, which begins at diffs of the outputs.
    """

    name: str
    first: int
    last: int
    reads: Mapping[str, str]
    training: Flow
    apart: Flow

    def with_scaled_diffs(self) -> Partition:
        training, apart = (replace(flow, scaled=True) for flow in (self.training, self.apart))
        return replace(self, training=training, apart=apart)


@dataclass(frozen=True)
class Partitioning:
    """How a program is cut.

    Attributes:
        parts: in file order; every layer is in one.
        held: names of the blobs that have memory, in the order in which they are made.
        inputs: the blobs that are fed -> the names under which they are in memory.
        by_layer: every layer is a partition, and all that a backward pass may need is kept.
        observed: inner blobs that have memory because somebody asked for them.
    """

    parts: tuple[Partition, ...]
    held: tuple[str, ...]
    inputs: Mapping[str, str]
    by_layer: bool = False
    observed: tuple[str, ...] = ()

    @property
    def joint(self) -> bool:
        """Whether forward and backward of a training pass are one graph."""
        return len(self.parts) == 1 and not self.by_layer


def fed_blobs(program: NetProgram) -> dict[str, Value]:
    return {p.name: p.value for p in program.graph.inputs if p.role is Role.DATA}
