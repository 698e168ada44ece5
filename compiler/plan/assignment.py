"""Which buffer each value of a fused graph lies in."""

from __future__ import annotations

from collections.abc import Sequence

from ir.graph import Graph, Port, PortKey, Role, Value
from ir.ports import WRITES

from .aliasing import may_overwrite, parts_of_wholes, view_roots
from .plan import Copy, PlanBuffer, PlanPort


class Assignment:
    """Buffers for all values of a graph: the fewest, whose lifetimes the layout then looks at.

    A view lies where its source does, a part of a whole in that. A result may take over the buffer
    of an operand that dies, or be written right into an output, or into the variable that the
    output is.

    Attributes:
        buffers: those of ports first. number: of every value's buffer, views included.
        inputs, outputs: the graph's ports.
        copies: into outputs that nothing was written to; left to do at the end, in this order.
    """

    def __init__(self, graph: Graph) -> None:
        self.buffers: list[PlanBuffer] = []
        self.inputs = tuple(self._port(port) for port in graph.inputs)
        self._graph = graph
        self._roots = view_roots(graph)
        self._parts = parts_of_wholes(graph)
        self._made_at: dict[Value, int] = {}  # where something is first written there
        for i, node in enumerate(graph.nodes):
            for v in node.outputs:
                self._made_at.setdefault(self._roots[v], i)
        self._last_read: dict[Value, int] = {}
        for i, node in enumerate(graph.nodes):
            for v in node.inputs:
                self._last_read[self._roots[v]] = i
        # Roots that lie in a port's buffer, with its number.
        self._bound = {p.value: i.buffer for p, i in zip(graph.inputs, self.inputs, strict=True)}
        self._variables = {p.key: p.value for p in graph.inputs}
        self._shown = {self._roots[p.value] for p in graph.outputs}
        # In-place chains: root -> the root whose buffer it takes over.
        self._takes: dict[Value, Value] = {}
        self._taken: set[Value] = set()
        self._copied: list[tuple[Value, int]] = []
        self.outputs = tuple(self._output(port) for port in graph.outputs)
        self._take_over()
        self.number: dict[Value, int] = {}
        for value, root in self._roots.items():
            owner = self._owner(root)
            if owner not in self._bound:
                self._bound[owner] = self._new(f"%{owner.name}", owner)
            self.number[value] = self._bound[owner]
        copies = [Copy(self.number[v], to, v.type.nbytes) for v, to in self._copied]
        self.copies = _in_order([c for c in copies if c.nbytes], self.buffers)

    def _new(self, name: str, value: Value) -> int:
        self.buffers.append(PlanBuffer(name, value.type))
        return len(self.buffers) - 1

    def _port(self, port: Port) -> PlanPort:
        return PlanPort(port.role, port.name, self._new(f"%{port.value.name}", port.value))

    def _owner(self, root: Value) -> Value:
        while root in self._takes:
            root = self._takes[root]
        return root

    # --- outputs ------------------------------------------------------------------------

    def _output(self, port: Port) -> PlanPort:
        root = self._roots[port.value]
        variable = self._variable(port)
        if variable is None:
            made = self._port(port)
            direct = root not in self._bound
        else:
            made = PlanPort(port.role, port.name, self._bound[variable])
            direct = (
                root not in self._bound
                and variable not in self._shown
                and self._may_write(root, variable)
            )
        if direct:
            self._bound[root] = made.buffer
        elif root is not variable:
            self._copied.append((port.value, made.buffer))
            self._last_read[root] = len(self._graph.nodes)
        return made

    def _variable(self, port: Port) -> Value | None:
        """The variable that an output is, if it is one that the graph reads."""
        for role in WRITES.get(port.role, ()):
            if (variable := self._variables.get(PortKey(role, port.name))) is not None:
                return variable
        if port.role is Role.STATE:
            raise KeyError(f"output {port.name!r} writes a variable that is no input")
        return None

    def _may_write(self, root: Value, variable: Value) -> bool:
        """Whether a result may be written right into its variable: nothing reads the old value
        later."""
        writer = self._made_at[root]
        last = self._last_read.get(variable, -1)
        return last < writer or (last == writer and self._overwrites(writer, variable, root))

    def _overwrites(self, index: int, operand: Value, result: Value) -> bool:
        """Whether node ``index`` may write ``result`` over ``operand``, under all its names."""
        node = self._graph.nodes[index]
        names = [v for v in dict.fromkeys(node.inputs) if self._roots[v] is operand]
        if len(names) != 1 or names[0] in self._parts or result not in node.outputs:
            return False  # of a whole, what lies elsewhere is still read
        return may_overwrite(node, names[0], result)

    # --- in place -----------------------------------------------------------------------

    def _take_over(self) -> None:
        for i, node in enumerate(self._graph.nodes):
            for result in node.outputs:
                if self._roots[result] is not result or result in self._bound:
                    continue
                for operand in dict.fromkeys(self._roots[v] for v in node.inputs):
                    if self._dies(operand, i) and self._overwrites(i, operand, result):
                        self._takes[result] = operand
                        self._taken.add(operand)
                        break

    def _dies(self, root: Value, index: int) -> bool:
        """Whether a buffer of the arena is read by node ``index`` for the last time."""
        return (
            root not in self._bound
            and self._last_read.get(root, -1) == index
            and root not in self._taken
        )


def _in_order(copies: Sequence[Copy], buffers: Sequence[PlanBuffer]) -> tuple[Copy, ...]:
    """Copies out of a variable before those into it. RuntimeError if variables are swapped."""
    waiting, done = list(copies), []
    while waiting:
        read = {copy.source for copy in waiting}
        free = [copy for copy in waiting if copy.target not in read]
        if not free:
            names = ", ".join(sorted(buffers[number].name for number in read))
            raise RuntimeError(f"variables take each other's values: {names}")
        done += free
        waiting = [copy for copy in waiting if copy.target in read]
    return tuple(done)
