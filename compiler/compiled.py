"""A compiled graph: steps in order, and where every value lives."""

from __future__ import annotations

from dataclasses import dataclass

from ir.graph import Graph, Node, Port, Value

from .kernel import Launch, Scratch


@dataclass(frozen=True, slots=True)
class HostStep:
    """A node that runs on the host; device values it reads are copied there first."""

    node: Node


@dataclass(frozen=True, slots=True)
class CopyStep:
    """Write a value to an output port at the end: it could not be written there directly."""

    source: Value
    target: Port


Step = Launch | HostStep | CopyStep


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value lives.

    Exactly one of ``offset`` (bytes into the arena) and ``port`` (a buffer bound from outside;
    ``is_output`` says on which side) is set.
    """

    nbytes: int
    offset: int | None = None
    port: Port | None = None
    is_output: bool = False


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Places of values and scratch buffers, and how good the plan is.

    ``arena`` is the size of the arena; ``values`` the sum of all values in it without sharing;
    ``bound`` the largest total that lives at one step. All in bytes.
    """

    places: dict[Value | Scratch, Place]
    arena: int
    values: int
    bound: int


@dataclass(frozen=True, slots=True)
class CompiledGraph:
    """What an executor runs. ``graph`` is the fused graph the steps came from."""

    graph: Graph
    steps: tuple[Step, ...]
    memory: MemoryPlan

    @property
    def launches(self) -> list[Launch]:
        return [s for s in self.steps if isinstance(s, Launch)]
