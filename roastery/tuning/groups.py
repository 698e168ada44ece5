"""The groups of a net that kernels are chosen for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from compiler.kernel import Launch
from compiler.kernel_nodes import repeated_nodes
from compiler.kernels.choice import Choice
from compiler.kernels.launch import Ways
from compiler.options import CompileOptions
from compiler.pipeline import GraphCompiler
from compiler.triton.cost.prediction import body_time
from compiler.triton.lower import lower_node, ways_of
from compiler.triton.tuned.key import group_key
from ir.graph import Graph, Node, Value
from ir.graph_sizes import Substitution
from ir.ops.fusion import Fused, whole_type
from ir.size import Evaluation
from ir.types import TensorType

MOST_CANDIDATES = 6


@dataclass(frozen=True)
class TunableGroup:
    """One that can be computed in several ways.

    Attributes:
        key: by which what is measured is found again. at: the sizes at hand.
        candidates: the model's best choices, the first as it is without measuring.
        predicted: seconds that the first takes, as often as the net has it.
        wholes: the types of what operands and results lie in, where they are parts.
    """

    key: str
    label: str
    ways: Ways
    at: Substitution
    candidates: Sequence[Choice]
    predicted: float
    wholes: Mapping[Value, TensorType] = field(default_factory=dict)

    def launches(self, choice: Choice) -> list[Launch]:
        return self.ways.launches(choice)


def tunable_groups(
    graph: Graph, values: Mapping[str, int], options: CompileOptions
) -> list[TunableGroup]:
    """Of a graph before its passes, each once, that first which takes longest."""
    found: dict[str, TunableGroup] = {}
    for key, group in _groups(graph, values, options):
        if key in found:
            more = found[key].predicted + group.predicted
            group = TunableGroup(**{**vars(found[key]), "predicted": more})
        found[key] = group
    return sorted(found.values(), key=lambda group: -group.predicted)


def _groups(
    graph: Graph, values: Mapping[str, int], options: CompileOptions
) -> Iterator[tuple[str, TunableGroup]]:
    number, at = Evaluation(values).size, Substitution(values)
    known: dict[str, tuple[Ways, Sequence[Choice], float]] = {}
    for node, times in repeated_nodes(GraphCompiler(graph, lower_node, options).at(values).graph):
        op = node.op
        assert isinstance(op, Fused), "what no pass fused is a group by itself"
        key = group_key(node, options, number)
        if key not in known:
            ways = ways_of(node, options, number)

            def seconds(choice: Choice, ways: Ways = ways) -> float:
                bodies = ways.scheduled.kernels(choice)
                return sum(body_time(b, number, options.target).seconds for b in bodies)

            first, best = ways.choices[0], _different(sorted(ways.choices, key=seconds))
            others = [c for c in best if (c.config, c.splits) != (first.config, first.splits)]
            known[key] = ways, [first, *_tried(first, others)], seconds(first)
        ways, candidates, once = known[key]
        if len(candidates) > 1:
            spent = times * once
            yield key, TunableGroup(key, op.label, ways, at, candidates, spent, _wholes(node, op))


def _wholes(node: Node, op: Fused) -> dict[Value, TensorType]:
    found: dict[Value, TensorType] = {}
    for number, value in enumerate((*node.inputs, *node.outputs)):
        if places := op.places.get(number):
            found[value] = whole_type(value.type, places)
    return found


def _tried(first: Choice, others: Sequence[Choice]) -> list[Choice]:
    """Those that are measured beside the first: the best of the others. Where there are such, one
    of all splits the depth and one does not: what a split costs the model knows least."""
    tried = list(others[: MOST_CANDIDATES - 1])
    for split in (False, True):
        alike = [choice for choice in others if (choice.splits > 1) is split]
        if alike and not any((choice.splits > 1) is split for choice in (first, *tried)):
            tried[-1] = alike[0]
    return tried


def _different(choices: Sequence[Choice]) -> list[Choice]:
    """The first of those that differ only in how parts are added up."""
    found: dict[object, Choice] = {}
    for choice in choices:
        found.setdefault((choice.config, choice.splits), choice)
    return list(found.values())
