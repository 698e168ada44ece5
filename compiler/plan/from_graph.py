"""The plan of a fused graph and of the launches that its groups were printed as."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from compiler.kernel import Kernel, Launch, Scratch
from ir.graph import Graph, Node, Value
from ir.op import Property
from ir.ops.loop import StepLoop
from ir.types import F32, TensorType

from .assignment import Assignment
from .loops import LoopPlaces
from .plan import HostStep, HostTensor, Moving, Plan, PlanBuffer, PlanLaunch, Ref, Repeat, Step


def runs_on_host(node: Node) -> bool:
    return bool(node.op.properties & (Property.HOST | Property.DYNAMIC))


NodeLaunches = Mapping[Node, Sequence[Launch]]
"""The launches that compute each node, also of the bodies of loops; those of one node share its
temporaries."""


def plan_graph(graph: Graph, printed: NodeLaunches) -> Plan:
    """Put every value in a buffer. Sizes are as types and launches have them; see
    :func:`compiler.plan.sizes.plan_at`."""
    return _Planner(graph, printed).plan()


class _Planner:
    def __init__(self, graph: Graph, printed: NodeLaunches) -> None:
        self._graph = graph
        self._printed = printed
        self._assigned = Assignment(graph)
        self._buffers = list(self._assigned.buffers)
        self._own = len(self._buffers)
        self._kernels: dict[Kernel, int] = {}
        self._read = {v for node in graph.nodes for v in node.inputs}
        self._read |= {port.value for port in graph.outputs}

    def plan(self) -> Plan:
        steps: list[Step] = []
        for number, node in enumerate(self._graph.nodes):
            if isinstance(node.op, StepLoop):
                steps += self._repeat(node, node.op)
            elif runs_on_host(node):
                steps.append(self._host_step(number, node))
            else:
                steps += self._launches(node, lambda v: Ref(self._assigned.number[v]))
        return Plan(
            self._graph.name,
            tuple(self._kernels),
            tuple(self._buffers),
            self._assigned.inputs,
            self._assigned.outputs,
            (*steps, *self._assigned.copies),
        )

    def _repeat(self, node: Node, op: StepLoop) -> Iterator[Repeat]:
        numbers = [self._assigned.number[v] for v in (*node.inputs, *node.outputs)]
        places = LoopPlaces(node, op, numbers, self._read, self._new)
        launches = [
            launch
            for inner in op.body.nodes
            for launch in self._launches(inner, places.__getitem__)
        ]
        if launches:
            yield Repeat(op.steps, tuple(launches))

    def _new(self, name: str, type: TensorType) -> int:
        self._buffers.append(PlanBuffer(name, type))
        return len(self._buffers) - 1

    def _launches(self, node: Node, place: Callable[[Value], Ref | Moving]) -> Iterator[PlanLaunch]:
        temporaries: dict[Scratch, int] = {}
        for launch in self._printed.get(node, ()):
            yield self._launch(launch, place, temporaries)

    def _launch(
        self,
        launch: Launch,
        place: Callable[[Value], Ref | Moving],
        temporaries: dict[Scratch, int],
    ) -> PlanLaunch:
        def at(item: Value | Scratch) -> Ref | Moving:
            if isinstance(item, Value):
                return place(item)
            if item not in temporaries:
                name = f"scratch {len(self._buffers) - self._own}"
                temporaries[item] = self._new(name, _scratch_type(item, launch))
            return Ref(temporaries[item])

        written = [at(item) for item in launch.outputs]
        buffers = [b for w in written for b in (w.buffers if isinstance(w, Moving) else [w.buffer])]
        return PlanLaunch(
            self._kernels.setdefault(launch.kernel, len(self._kernels)),
            launch.config,
            tuple(at(a) if isinstance(a, Value | Scratch) else a for a in launch.arguments),
            launch.grid,
            tuple(dict.fromkeys(buffers)),
            launch.label,
            str(launch.location),
        )

    def _host_step(self, number: int, node: Node) -> HostStep:
        inputs, outputs = (
            tuple(HostTensor(self._assigned.number[v], v.type) for v in values)
            for values in (node.inputs, node.outputs)
        )
        return HostStep(number, node.op.name, inputs, outputs, str(node.location))


def _scratch_type(scratch: Scratch, launch: Launch) -> TensorType:
    """As many elements, of the type that the kernel's pointer has, as have room."""
    pointers = zip(launch.kernel.parameters, launch.arguments, strict=False)
    dtype = next((p.dtype for p, a in pointers if a == scratch and p.dtype), F32)
    return TensorType((-(-scratch.nbytes // dtype.itemsize),), dtype)
