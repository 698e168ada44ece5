"""The verifier: whether a graph keeps the rules that passes and backends rely on."""

from __future__ import annotations

from collections.abc import Iterator

from .graph import Graph, Node, Role, Value
from .op import Op, Property
from .ops.fusion import Fused
from .ports import WRITES
from .text import attributes, format_node
from .views import keeps_memory


class InvalidGraph(ValueError):
    """A graph breaks a rule of the IR: a defect of whatever made it.

    ``problem`` is the message without the node, ``node`` the one that is to blame, if one is.
    """

    def __init__(self, message: str, problem: str = "", node: Node | None = None) -> None:
        super().__init__(message)
        self.problem = problem or message
        self.node = node


def verify(graph: Graph) -> None:
    """Raise :class:`InvalidGraph` unless every rule holds.

    * A value is defined once, before it is read; names are unique.
    * Every node's types are what its op infers, in any layout that the op can take or make: a view
      keeps the memory that it shows, host ops and kernels of an op's own have row-major memory.
    * What lies in a larger tensor is the result of a kernel, and lies there once; it is as that
      tensor in memory, and no port shows it.
    * Ports are row-major; those of a group have the types of its node's values.
    * Port names are unique per role; an output that writes a variable has an input of the same
      variable and type, if it is a STATE; if it is a GRADIENT, only where the graph adds to it.
    * Graphs inside nodes keep the same rules.
    """
    _Verifier(graph, "").run()


class _Verifier:
    def __init__(self, graph: Graph, path: str, within: Node | None = None) -> None:
        self.graph = graph
        self.within = within
        self.path = f"{path}{graph.name}"
        self.values: set[Value] = set()
        self.names: set[str] = set()

    def run(self) -> None:
        for port in self.graph.inputs:
            self._define(port.value, f"input {port.name!r}")
        self._unique_ports()
        self._row_major_ports()
        for node in self.graph.nodes:
            self._check(node)
        for port in self.graph.outputs:
            if port.value not in self.values:
                self._fail(f"output {port.name!r}: %{port.value.name} is not defined")
        self._variables()
        self._wholes()

    def _fail(self, problem: str, node: Node | None = None) -> None:
        message = problem = f"graph {self.path}: {problem}"
        if node is not None:
            place = f" at {node.location}" if node.location else ""
            message += f"{place}\n    {format_node(node)}"
        raise InvalidGraph(message, problem, node)

    def _define(self, value: Value, what: str, node: Node | None = None) -> None:
        if value in self.values:
            self._fail(f"{what}: %{value.name} is defined twice", node)
        if value.name in self.names:
            self._fail(f"{what}: the name %{value.name} is taken", node)
        self.values.add(value)
        self.names.add(value.name)

    def _check(self, node: Node) -> None:
        for value in node.inputs:
            if value not in self.values:
                self._fail(f"%{value.name} is read before it is defined", node)
        for value in node.outputs:
            self._define(value, "result", node)
        for body in nested_graphs(node.op):
            # What the steps of a loop are given is not what the loop is: its op compares them.
            _Verifier(body, f"{self.path}/", node if isinstance(node.op, Fused) else None).run()
        try:
            types = node.op.infer([v.type.logical for v in node.inputs])
        except Exception as error:  # a rule given what it never expected may raise anything
            self._fail(f"{node.op.name}: {error or type(error).__name__}", node)
            return
        declared = tuple(v.type.logical for v in node.outputs)
        if tuple(types) != declared:
            shown = [", ".join(map(str, t)) for t in (declared, types)]
            self._fail(f"{node.op.name} is declared as {shown[0]}, but gives {shown[1]}", node)
        self._check_layouts(node)

    def _check_layouts(self, node: Node) -> None:
        laid = next((v for v in (*node.inputs, *node.outputs) if v.type.layout is not None), None)
        if laid is None or isinstance(node.op, Fused):
            return
        if not node.op.any_layout:
            self._fail(f"{node.op.name} takes and gives row-major memory, not {laid.type}", node)
        if node.op.properties & Property.VIEW:
            before, after = node.inputs[0].type, node.outputs[0].type
            view = node.op.viewed(before)
            if view is None or not keeps_memory(view, after):
                self._fail(f"memory of {before} is no {after}: it has to be copied", node)

    def _row_major_ports(self) -> None:
        """Of an outermost graph, and of a loop's body; a group's are the node's values."""
        node, graph = self.within, self.graph
        for what, ports, outer in (
            ("input", graph.inputs, node.inputs if node else ()),
            ("output", graph.outputs, node.outputs if node else ()),
        ):
            types = [v.type for v in outer] if node else [p.value.type.logical for p in ports]
            for port, type in zip(ports, types, strict=False):
                if port.value.type != type:
                    self._fail(f"{what} {port.name!r} is {port.value.type}, it must be {type}")

    def _unique_ports(self) -> None:
        for kind, ports in (("input", self.graph.inputs), ("output", self.graph.outputs)):
            seen: set[tuple[str, Role]] = set()
            for port in ports:
                if (port.name, port.role) in seen:
                    self._fail(f"two {port.role.value} {kind}s are named {port.name!r}")
                seen.add((port.name, port.role))

    def _variables(self) -> None:
        variables = {(p.name, p.role): p.value for p in self.graph.inputs}
        for port in self.graph.outputs:
            if port.role not in WRITES:
                continue
            before = [variables[k] for r in WRITES[port.role] if (k := (port.name, r)) in variables]
            what = f"output {port.name!r} ({port.role.value})"
            if not before and port.role is Role.STATE:
                self._fail(f"{what}: there is no such variable among the inputs")
            if before and before[0].type != port.value.type:
                self._fail(f"{what} is {port.value.type}, the variable is {before[0].type}")

    def _wholes(self) -> None:
        made = {
            v for n in self.graph.nodes for v in n.outputs if not n.op.properties & Property.VIEW
        }
        made -= {port.value for port in self.graph.outputs}
        for node in self.graph.nodes:
            if not node.op.properties & Property.WHOLE:
                continue
            for value in node.inputs:
                if value not in made:
                    self._fail(f"%{value.name} cannot lie in %{node.output.name}", node)
                if value.type.layout != node.output.type.layout:
                    self._fail(f"memory of {value.type} is no part of {node.output.type}", node)
                made.remove(value)


def nested_graphs(op: Op) -> Iterator[Graph]:
    """Graphs among an op's attributes."""
    for _, value in attributes(op):
        if isinstance(value, Graph):
            yield value
