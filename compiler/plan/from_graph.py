"""The plan of a fused graph and of the launches that its groups were printed as."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.kernel import Kernel, Launch, Scratch
from ir.graph import Graph, Node, Value
from ir.op import Property
from ir.types import F32, TensorType

from .assignment import Assignment
from .plan import HostStep, HostTensor, Plan, PlanBuffer, PlanLaunch, Ref, Step


def runs_on_host(node: Node) -> bool:
    return bool(node.op.properties & (Property.HOST | Property.DYNAMIC))


def plan_graph(graph: Graph, printed: Sequence[Sequence[Launch]]) -> Plan:
    """Put every value in a buffer. Sizes are as types and launches have them; see
    :func:`compiler.plan.sizes.plan_at`.

    Args:
        printed: the launches that compute each node; those of one node share its temporaries.
    """
    return _Planner(graph).plan(printed)


class _Planner:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._assigned = Assignment(graph)
        self._buffers = list(self._assigned.buffers)
        self._kernels: dict[Kernel, int] = {}

    def plan(self, printed: Sequence[Sequence[Launch]]) -> Plan:
        steps: list[Step] = []
        for number, (node, launches) in enumerate(zip(self._graph.nodes, printed, strict=True)):
            temporaries: dict[Scratch, int] = {}
            steps += [self._launch(launch, temporaries) for launch in launches]
            if runs_on_host(node):
                steps.append(self._host_step(number, node))
        return Plan(
            self._graph.name,
            tuple(self._kernels),
            tuple(self._buffers),
            self._assigned.inputs,
            self._assigned.outputs,
            (*steps, *self._assigned.copies),
        )

    def _launch(self, launch: Launch, temporaries: dict[Scratch, int]) -> PlanLaunch:
        def number(item: Value | Scratch) -> int:
            if isinstance(item, Value):
                return self._assigned.number[item]
            if item not in temporaries:
                temporaries[item] = len(self._buffers)
                name = f"scratch {len(self._buffers) - len(self._assigned.buffers)}"
                self._buffers.append(PlanBuffer(name, _scratch_type(item, launch)))
            return temporaries[item]

        return PlanLaunch(
            self._kernels.setdefault(launch.kernel, len(self._kernels)),
            launch.config,
            tuple(
                Ref(number(a)) if isinstance(a, Value | Scratch) else a for a in launch.arguments
            ),
            launch.grid,
            tuple(dict.fromkeys(map(number, launch.outputs))),
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
