"""The compiler's side of a page: each layer's IR through the passes, its kernels, its memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from compiler.kernel import BESIDE
from compiler.kernel_nodes import kernel_nodes
from compiler.options import CompileOptions
from compiler.plan.arena import aligned
from compiler.plan.memory import least_memory, lifetimes
from compiler.plan.plan import Copy, Plan, PlanLaunch, Repeat
from compiler.plan.tables import kernel_files
from ir.graph import Direction, Graph, Node
from ir.location import Location
from ir.ops.fusion import Fused
from ir.program import LayerInfo, NetProgram
from ir.text import format_nodes

from ..inspection.compilation import Compilation, compile_program
from .texts import PageTexts

COMPUTED_ONCE = "computed once"
"""The stage that follows no other: what is computed from parameters alone, before all runs."""

_MOST_BUFFERS = 20_000

LayerPlace = tuple[str, str, int, int]
"""A layer by its name and where it stands: several may have one name."""


@dataclass
class PassStages:
    """Observer: what each pass made, each time that all of them ran."""

    runs: list[list[tuple[str, Graph]]] = field(default_factory=list)

    def __call__(self, name: str, graph: Graph) -> None:
        if not self.runs or name == self.runs[-1][0][0]:
            self.runs.append([])
        self.runs[-1].append((name, graph))

    def made(self, graph: Graph) -> list[tuple[str, Graph]]:
        """Of the run that ended with the groups of a graph, which was chosen; else of the last."""
        chosen = _labels(graph)
        ended = [run for run in self.runs if _labels(run[-1][1]) <= chosen]
        return (ended or self.runs or [[]])[-1]


def _labels(graph: Graph) -> set[str]:
    return {node.op.label for node in graph.nodes if isinstance(node.op, Fused)}


def compiled_view(
    title: str,
    program: NetProgram,
    layers: Sequence[LayerInfo],
    options: CompileOptions,
    texts: PageTexts,
    *,
    backward: bool | None = None,
) -> dict[str, Any]:
    """What one compiler makes of a net, as the page wants it.

    Args:
        layers: those that the page shows, in its order.
    """
    observer = PassStages()
    result = compile_program(program, options, backward=backward, observers=[observer])
    numbers = {_place(layer.location): number for number, layer in enumerate(layers)}
    begun = "with backward" if result.trains else "before passes"
    stages = [
        ("lowered", program.graph),
        (begun, result.graph),
        *observer.made(result.compiled.graph),
    ]
    if result.constants.nodes:
        stages.append((COMPUTED_ONCE, result.constants))
    groups = _groups(result.compiled.graph, numbers)
    return {
        "title": title,
        "options": str(options),
        "stages": [name for name, _ in stages],
        "ir": _ir(stages, numbers, len(layers), texts),
        "kernels": _kernels(result, groups, len(layers), texts),
        "memory": _memory(result.compiled.plan, groups),
    }


def _place(location: Location) -> LayerPlace:
    return location.layer, location.file, location.line, location.column


def _layers_of(node: Node, numbers: Mapping[LayerPlace, int]) -> list[int]:
    """The layers that a node, or a node of the group that it is, comes from."""
    inner: Iterable[Node] = node.op.body.nodes if isinstance(node.op, Fused) else ()
    places = (_place(each.location) for each in (node, *inner))
    return list(dict.fromkeys(numbers[place] for place in places if place in numbers))


def _ir(
    stages: Sequence[tuple[str, Graph]],
    numbers: Mapping[LayerPlace, int],
    count: int,
    texts: PageTexts,
) -> list[list[int]]:
    """Of each layer, of each stage: the number of a text."""
    found: list[list[int]] = [[] for _ in range(count)]
    # A group may hold all layers of a net: its text is made once, not for each of them.
    known: dict[int, str] = {}
    added: dict[tuple[int, ...], int] = {(): texts.add("(nothing is left of it here)\n")}
    for _, graph in stages:
        nodes: list[list[Node]] = [[] for _ in range(count)]
        for node in graph.nodes:
            for layer in _layers_of(node, numbers):
                nodes[layer].append(node)
        for layer, own in enumerate(nodes):
            key = tuple(map(id, own))
            if key not in added:
                for node in own:
                    if id(node) not in known:
                        known[id(node)] = format_nodes([node])
                added[key] = texts.add("".join(known[number] for number in key))
            found[layer].append(added[key])
    return found


@dataclass(frozen=True)
class _Group:
    layers: list[int]
    direction: Direction


def _groups(graph: Graph, numbers: Mapping[LayerPlace, int]) -> dict[str, _Group]:
    """By label, the layers of each group that has kernels."""
    found = {}
    for node in kernel_nodes(graph):
        if isinstance(node.op, Fused):
            found[node.op.label] = _Group(_layers_of(node, numbers), node.direction)
    return found


def _group_of(label: str, groups: Mapping[str, _Group]) -> _Group | None:
    """``conv1.sum`` is a second kernel of ``conv1``."""
    return groups.get(label) or groups.get(label.rpartition(".")[0])


def _kernels(
    result: Compilation, groups: Mapping[str, _Group], count: int, texts: PageTexts
) -> list[list[dict[str, Any]]]:
    """Of each layer, its kernels: the first launch's text, where several are alike."""
    found: list[list[dict[str, Any]]] = [[] for _ in range(count)]
    files = dict(zip(result.compiled.kernels, kernel_files(result.compiled.plan), strict=True))
    in_c = result.options.target.kind == "cpu"
    numbers: dict[object, int] = {}
    for launch in result.compiled.launches:
        kernel = launch.kernel
        if kernel not in numbers:
            # The readable form of one in C is a whole program, which checks it.
            numbers[kernel] = texts.add(kernel.source if in_c else launch.readable())
        for label in launch.label.split(BESIDE):
            group = _group_of(label, groups)
            if group is None:
                continue
            told = {
                "label": launch.label,
                "backward": group.direction is not Direction.FORWARD,
                "file": files.get(kernel, ""),
                "grid": "x".join(map(str, launch.grid)),
                "tile": " ".join(f"{name}={value}" for name, value in launch.config.constants),
                "text": numbers[kernel],
            }
            for layer in group.layers:
                if told not in found[layer]:
                    found[layer].append(told)
    return found


def _memory(plan: Plan, groups: Mapping[str, _Group]) -> dict[str, Any]:
    """Where buffers lie, step by step, and the layers of each step."""
    steps = []
    for step in plan.steps:
        if isinstance(step, PlanLaunch):
            label = step.label
        elif isinstance(step, Repeat):
            label = BESIDE.join(launch.label for launch in step.launches)
        elif isinstance(step, Copy):
            label = f"copy to {plan.buffers[step.target].name}"
        else:
            label = f"on the host: {step.op}"
        own = (_group_of(part, groups) for part in label.split(BESIDE))
        layers = dict.fromkeys(n for group in own if group is not None for n in group.layers)
        steps.append({"label": label, "layers": [*layers], "uses": sorted(set(step.uses))})
    largest = sorted(lifetimes(plan), key=lambda each: -each.size)[:_MOST_BUFFERS]
    return {
        "bytes": plan.memory.nbytes,
        "least": least_memory(plan),
        "steps": steps,
        "buffers": [
            {
                "id": each.id,
                "name": plan.buffers[each.id].name,
                "type": str(plan.buffers[each.id].type),
                "offset": plan.memory.offsets[each.id] or 0,
                "bytes": aligned(each.size),
                "first": each.first,
                "last": each.last,
            }
            for each in largest
        ],
    }
