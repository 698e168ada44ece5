"""The memory plan of a fused graph: a place for every value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from compiler.kernel import Scratch
from ir.graph import Graph, Port, Role, Value

from .aliasing import may_overwrite, view_roots
from .arena import Interval, aligned, lower_bound, plan_arena

_VARIABLES = (Role.STATE, Role.GRADIENT)


@dataclass(frozen=True, slots=True)
class InArena:
    """Bytes ``offset`` to ``offset + nbytes`` of the arena."""

    offset: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class External:
    """The buffer that the caller binds to a port. A written variable is its input port's buffer."""

    port: Port
    is_output: bool


Allocation = InArena | External


@dataclass(frozen=True, slots=True)
class Copy:
    """After the last launch, ``value`` is copied into the buffer of the output ``port``."""

    value: Value
    port: Port


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Where the values of a graph lie.

    Attributes:
        places: every value between kernels, views included.
        scratch: temporaries of launches, by number.
        copies: what is left to do at the end, in this order.
        peak: bytes of the arena. bound: the most bytes in use at one time.
        total: bytes of all buffers in the arena, had each its own.
        external: bytes of all buffers that callers bind.
    """

    places: Mapping[Value, Allocation]
    scratch: Mapping[int, InArena]
    copies: tuple[Copy, ...]
    peak: int
    bound: int
    total: int
    external: int
    intervals: tuple[Interval, ...] = field(repr=False, default=())

    def table(self) -> str:
        """A readable table: one line per buffer, by offset."""
        rows = [("offset", "bytes", "live", "value")]
        for i in sorted(self.intervals, key=lambda i: (self._offset(i), i.first)):
            what = f"%{i.id.name}" if isinstance(i.id, Value) else f"scratch {i.id}"
            rows.append((f"{self._offset(i)}", f"{i.size}", f"{i.first}..{i.last}", what))
        widths = [max(len(r[c]) for r in rows) for c in range(3)]
        lines = [
            "  ".join([*(variable.rjust(w) for variable, w in zip(r, widths, strict=False)), r[3]])
            for r in rows
        ]
        lines += [f"copy %{c.value.name} -> {c.port.role.value} {c.port.name}" for c in self.copies]
        saved = 100.0 * (1.0 - self.peak / self.total) if self.total else 0.0
        lines.append(
            f"arena {self.peak} bytes; all buffers {self.total} bytes ({saved:.0f}% saved); "
            f"lower bound {self.bound} bytes; outside the arena {self.external} bytes"
        )
        return "\n".join(lines) + "\n"

    def _offset(self, interval: Interval) -> int:
        if isinstance(interval.id, int):
            return self.scratch[interval.id].offset
        assert isinstance(interval.id, Value)
        place = self.places[interval.id]
        assert isinstance(place, InArena)
        return place.offset


def plan_memory(graph: Graph, scratch: Mapping[int, Sequence[Scratch]] | None = None) -> MemoryPlan:
    """Plan a fused graph.

    Args:
        scratch: temporaries of the launches of node ``i``; numbers are unique in the graph.
    """
    return _Planner(graph, scratch or {}).plan()


class _Planner:
    def __init__(self, graph: Graph, scratch: Mapping[int, Sequence[Scratch]]) -> None:
        self.graph = graph
        self.scratch = scratch
        self.end = len(graph.nodes)
        self.roots = view_roots(graph)
        self.inputs = {p.value: p for p in graph.inputs}
        self.variables = {(p.name, p.role): p.value for p in graph.inputs}
        self.made_at = {v: i for i, n in enumerate(graph.nodes) for v in n.outputs}
        self.last_read: dict[Value, int] = {}
        for i, node in enumerate(graph.nodes):
            for v in node.inputs:
                self.last_read[self.roots[v]] = i
        self.external: dict[Value, External] = {}
        self.copies: list[Copy] = []
        # In-place chains: root -> the root whose buffer it takes over.
        self.takes: dict[Value, Value] = {}
        self.taken: set[Value] = set()

    def plan(self) -> MemoryPlan:
        for port in self.graph.inputs:
            self.external[port.value] = External(port, is_output=False)
        self._place_outputs()
        self._take_over()
        intervals = self._intervals()
        arena = plan_arena(intervals)
        places: dict[Value, Allocation] = {}
        for value, root in self.roots.items():
            owner = self._owner(root)
            places[value] = self.external.get(owner) or InArena(
                arena.offsets[owner], owner.type.nbytes
            )
        inside: dict[int, InArena] = {
            i.id: InArena(arena.offsets[i.id], i.size) for i in intervals if isinstance(i.id, int)
        }
        bound = {(e.port.name, e.port.role): e.port.value for e in self.external.values()}
        return MemoryPlan(
            places=places,
            scratch=inside,
            copies=tuple(_in_order(self.copies, self.roots, self.inputs)),
            peak=arena.total,
            bound=lower_bound(intervals),
            total=sum(
                aligned(v.type.nbytes)
                for v, root in self.roots.items()
                if v is root and v not in self.external
            )
            + sum(aligned(i.size) for i in intervals if isinstance(i.id, int)),
            external=sum(aligned(v.type.nbytes) for v in bound.values()),
            intervals=tuple(intervals),
        )

    def _owner(self, root: Value) -> Value:
        while root in self.takes:
            root = self.takes[root]
        return root

    # --- outputs ------------------------------------------------------------------------

    def _place_outputs(self) -> None:
        shown = {self.roots[p.value] for p in self.graph.outputs}
        for port in self.graph.outputs:
            root = self.roots[port.value]
            variable = self._variable(port) if port.role in _VARIABLES else None
            if variable is not None and root is variable:
                continue  # it keeps what it holds
            direct = root not in self.external and (
                variable is None or (variable not in shown and self._may_write(root, variable))
            )
            if direct and variable is not None:
                self.external[root] = self.external[variable]
            elif direct:
                self.external[root] = External(port, is_output=True)
            else:
                self.copies.append(Copy(port.value, port))
                self.last_read[root] = self.end

    def _variable(self, port: Port) -> Value:
        wanted = (Role.GRADIENT,) if port.role is Role.GRADIENT else (Role.STATE, Role.PARAMETER)
        for role in wanted:
            if (port.name, role) in self.variables:
                return self.variables[port.name, role]
        raise KeyError(f"output {port.name!r} writes a variable that is no input")

    def _may_write(self, root: Value, variable: Value) -> bool:
        """Whether a result may be written right into its variable: nothing reads the old value
        later."""
        writer = self.made_at[root]
        last = self.last_read.get(variable, -1)
        return last < writer or (last == writer and self._overwrites(writer, variable, root))

    def _overwrites(self, index: int, operand: Value, result: Value) -> bool:
        """Whether node ``index`` may write ``result`` over ``operand``, under all its names."""
        node = self.graph.nodes[index]
        names = [v for v in dict.fromkeys(node.inputs) if self.roots[v] is operand]
        return len(names) == 1 and may_overwrite(node, names[0], result)

    # --- in place -----------------------------------------------------------------------

    def _take_over(self) -> None:
        for i, node in enumerate(self.graph.nodes):
            for result in node.outputs:
                if self.roots[result] is not result or result in self.external:
                    continue
                for operand in dict.fromkeys(self.roots[v] for v in node.inputs):
                    if self._dies(operand, i) and self._overwrites(i, operand, result):
                        self.takes[result] = operand
                        self.taken.add(operand)
                        break

    def _dies(self, root: Value, index: int) -> bool:
        """Whether a buffer of the arena is read by node ``index`` for the last time."""
        return (
            root not in self.external
            and self.last_read.get(root, -1) == index
            and root not in self.taken
        )

    # --- intervals ----------------------------------------------------------------------

    def _intervals(self) -> list[Interval]:
        spans: dict[Value, tuple[int, int]] = {}
        for value, index in self.made_at.items():
            if self.roots[value] is not value or value in self.external:
                continue
            owner = self._owner(value)
            last = max(index, self.last_read.get(value, index))
            first, until = spans.get(owner, (index, last))
            spans[owner] = (min(first, index), max(until, last))
        found = [Interval(v, v.type.nbytes, a, z) for v, (a, z) in spans.items()]
        for i, temporaries in self.scratch.items():
            found += [Interval(t.number, t.nbytes, i, i) for t in temporaries]
        return found


def _in_order(
    copies: Sequence[Copy], roots: Mapping[Value, Value], inputs: Mapping[Value, Port]
) -> list[Copy]:
    """Copies out of a variable before those into it. RuntimeError if variables are swapped."""
    waiting = list(copies)
    done: list[Copy] = []
    while waiting:
        read = {p.name for c in waiting if (p := inputs.get(roots[c.value])) is not None}
        free = [c for c in waiting if c.port.role not in _VARIABLES or c.port.name not in read]
        if not free:
            raise RuntimeError(f"variables take each other's values: {', '.join(sorted(read))}")
        done += free
        waiting = [c for c in waiting if c not in free]
    return done
