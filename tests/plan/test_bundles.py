"""Small kernels that share launches: which of them do, when they run, and what that costs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.zoo import ZOO
from compiler.bundles.copies import with_early_copies
from compiler.bundles.limits import (
    MOST_ARGUMENTS,
    MOST_COMPLETED,
    MOST_PARTS,
    WORTH,
    more_memory,
)
from compiler.bundles.order import Candidate, advanced, delayed
from compiler.c.lower import lower_to_c
from compiler.compiled import CompiledGraph
from compiler.kernel import BESIDE, Config, Launch, Scratch
from compiler.options import CompileOptions
from compiler.passes.registry import default_passes
from compiler.pipeline import GraphCompiler
from compiler.plan.memory import least_memory
from compiler.plan.plan import (
    Copy,
    HostStep,
    Plan,
    PlanBuffer,
    PlanLaunch,
    PlanPort,
    Ref,
    Repeat,
    Step,
)
from compiler.plan.saved import plan_from_json, plan_to_json
from compiler.plan.saved_sizes import saved_plan_at
from compiler.plan.sizes import plan_at
from compiler.plan.tables import step_table
from compiler.target import GENERIC
from compiler.traffic import traffic
from compiler.triton.lower import lower_node
from ir.graph import Graph
from ir.ports import Role
from ir.types import TensorType
from tests.support import sample_nets as sample
from tests.support.bundled_nets import branches
from tests.support.lowering import lowered
from tests.support.program_kernels import general, training_graph

ALONE = tuple(name for name in default_passes(GENERIC) if name != "bundle")


def graph(text: str) -> Graph:
    return training_graph(general(lowered(text)))


def compiled(of: Graph, *, passes: tuple[str, ...] | None = None, **options: Any) -> CompiledGraph:
    return GraphCompiler(of, lower_node, CompileOptions(passes=passes, **options)).at()


def bundles(made: CompiledGraph) -> list[Launch]:
    return [launch for launch in made.launches if launch.parts]


# --- which -------------------------------------------------------------------------------


def test_weights_are_copied_and_parts_of_gradients_added_up_together() -> None:
    made = compiled(graph(branches(channels=4)))  # as they are: no channels are added
    # Without what tells groups of a layer apart: d_last_3.sum.
    labels = [re.sub(r"_\d+(?=[. ]|$)", "", launch.label) for launch in bundles(made)]
    names = [set(label.split(BESIDE)) for label in labels]
    for together in (
        {"a3", "b3", "last"},
        {"d_last", "d_b3", "d_a3"},
        {"d_last.sum", "d_b3.sum", "d_a3.sum", "d_stem.sum"},
    ):
        assert any(together <= found for found in names), (together, names)
    assert any(launch.kernel.entry == "bundled_reduce_fold" for launch in bundles(made))
    # What is alike but for the weights stands in the text once.
    (sums,) = (x for x in bundles(made) if x.kernel.entry == "bundled_sum_partials")
    assert sums.kernel.source.count("tl.store") == 1
    fewer = sum(len(launch.parts) - 1 for launch in bundles(made))
    assert made.plan.launch_count == len(made.alone) - fewer


def test_without_the_pass_or_on_a_cpu_there_are_none() -> None:
    of = graph(branches())
    made = compiled(of, passes=ALONE)
    assert not bundles(made) and made.launches == made.alone
    target = replace(GENERIC, kind="cpu", instructions="any", vector=64, registers=32)
    for passes in (None, (*default_passes(target), "bundle")):
        in_c = GraphCompiler(of, lower_to_c, CompileOptions(target, passes=passes)).at()
        assert not bundles(in_c)


def test_fuel_decides_who_takes_part() -> None:
    of = graph(branches())
    whole = compiled(of)
    rewrites = 0
    found = []
    for fuel in range(0, 400, 40):
        made = compiled(of, fuel=fuel)
        found.append(sum(len(launch.parts) for launch in bundles(made)))
        rewrites = fuel
        if made.general == whole.general:
            break
    assert found == sorted(found) and found[0] == 0 and len({*found}) > 2, (found, rewrites)


def test_large_ones_and_those_of_a_batch_stay_alone() -> None:
    text = sample.inputs(data=(2, 512, 3, 3)) + sample.conv("small", "data", 512, 3, "pad: 1")
    text += sample.conv("large", "small", 512, 3, "pad: 1") + sample.conv("b", "large", 64, 3)
    text += sample.conv("c", "b", 64, 1) + sample.layer("loss", "Reduction", "c", top="loss")
    made = compiled(graph(text.replace('top: "loss"', 'top: "loss" loss_weight: 1')))
    for launch in bundles(made):
        for part in launch.parts:
            scratch = [a for a in part.arguments if isinstance(a, Scratch)]
            assert sum(s.nbytes for s in scratch) <= WORTH
            made_here = [v for v in part.outputs if not isinstance(v, Scratch)]
            assert all(isinstance(v.type.nbytes, int) for v in made_here)
    alone = [launch.label for launch in made.launches if not launch.parts]
    assert {"small", "large"} <= {*alone}  # copies of 9 MB


@pytest.mark.parametrize("name", ["resnet50", pytest.param("googlenet", marks=pytest.mark.slow)])
def test_limits_of_a_launch(name: str) -> None:
    of = graph(ZOO[name].text(4))
    # What backward computes again may depend on what launches cost.
    made = compiled(of, recomputes=False)
    alone = compiled(of, passes=ALONE, recomputes=False)
    assert len(bundles(made)) > 4
    for launch in bundles(made):
        assert 2 <= len(launch.parts) <= MOST_PARTS
        assert len(launch.arguments) <= MOST_ARGUMENTS + MOST_PARTS
    assert made.plan.launch_count < alone.plan.launch_count - 60
    before = least_memory(alone.plan)
    assert least_memory(made.plan) <= before + more_memory(before)
    assert sum(row.nbytes for row in traffic(made)) == sum(row.nbytes for row in traffic(alone))
    assert len(made.kernels) <= len(alone.kernels)
    assert meaning(made, alone) == meaning(alone, alone)


def test_with_a_memory_budget_the_plan_needs_no_more() -> None:
    of = graph(sample.lenet(8))
    alone, free = compiled(of, passes=ALONE), compiled(of)
    frugal = compiled(of, memory_budget=1 << 40)
    assert least_memory(alone.plan) < least_memory(free.plan)
    assert least_memory(frugal.plan) == least_memory(alone.plan)
    assert bundles(free) != bundles(frugal)


# --- when --------------------------------------------------------------------------------

NETS = {
    "branches": branches(),
    "lenet": sample.lenet(8),
    "inception": sample.inception(),
    "residual": sample.residual(units=3),
    "recurrent": sample.recurrent(steps=3),
    "siamese": sample.siamese(),
    "dropouts": sample.dropouts(),
}


def meaning(made: CompiledGraph, alone: CompiledGraph) -> dict[int, int]:
    """What the buffers that are bound hold at the end: of each launch that wrote to one, from what.

    A launch that ran too early or too late gives another number, and so do two parts of one launch
    of which one needs the other.
    """
    single = {launch.label: launch for launch in alone.plan.launches}
    held = {number: hash(number) for number in range(len(made.plan.buffers))}
    for step in _flat(made.plan.steps):
        if isinstance(step, Copy):
            held[step.target] = hash((held[step.source], held[step.target]))
            continue
        assert isinstance(step, PlanLaunch)
        parts = [single[name] for name in step.label.split(BESIDE)]
        now = dict(held)
        for part in parts:
            read = tuple(held[n] for n in dict.fromkeys(part.uses))
            for n in part.writes:
                now[n] = hash((now[n], part.label, read))
        held = now
    return {number: held[number] for number in made.plan.bound}


def _flat(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        if isinstance(step, Repeat):
            yield from step.launches
        else:
            yield step


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", NETS)
def test_everything_runs_when_what_it_reads_is_there(name: str, precision: str) -> None:
    of = graph(NETS[name])
    made = compiled(of, precision=precision)
    alone = compiled(of, precision=precision, passes=ALONE)
    assert meaning(made, alone) == meaning(alone, alone)
    assert len(made.general.buffers) == len(alone.general.buffers)
    inside = [launch for repeat in made.plan.repeats for launch in repeat.launches]
    assert not any(BESIDE in launch.label for launch in inside)


def step(label: str, reads: str, writes: str) -> PlanLaunch:
    """A launch on buffers that have letters."""
    arguments = tuple(Ref(ord(letter)) for letter in reads + writes)
    return PlanLaunch(0, Config(()), arguments, (1, 1, 1), tuple(map(ord, writes)), label)


def together(
    steps: list[Step], held: int = 1, most: int = 100, completed: int = 0
) -> tuple[list[str], list[str]]:
    """Who would share launches, of those with capital letters: delayed, and advanced. After each
    step so many bytes of diffs more are complete."""
    wanted = {
        i: Candidate("k", held, 2, i * completed)
        for i, s in enumerate(steps)
        if isinstance(s, PlanLaunch) and s.label.isupper()
    }
    names = [getattr(s, "label", "") for s in steps]
    return tuple(  # type: ignore[return-value]
        ["".join(names[n] for n in numbers) for numbers in choose(steps, wanted, most)]
        for choose in (delayed, advanced)
    )


def test_none_passes_who_uses_what_it_writes_or_writes_what_it_reads() -> None:
    free: list[Step] = [step("A", "w", "a"), step("x", "pq", "r"), step("B", "v", "b")]
    assert together(free) == (["AB"], ["AB"])
    # Its result is read between: it cannot wait, but the other one can come first.
    assert together([free[0], step("x", "a", "r"), free[2]]) == ([], ["AB"])
    # What it reads is made between.
    assert together([free[0], step("x", "p", "v"), free[2]]) == (["AB"], [])
    # What it reads is overwritten between; what it writes is read or written before.
    assert together([free[0], step("x", "p", "w"), free[2]]) == ([], ["AB"])
    assert together([free[0], step("x", "b", "r"), free[2]]) == (["AB"], [])
    assert together([free[0], step("x", "p", "b"), free[2]]) == (["AB"], [])
    # One reads, or writes, what the other writes.
    assert together([free[0], step("B", "a", "b")]) == ([], [])
    assert together([free[0], step("B", "v", "w")]) == ([], [])
    assert together([free[0], step("B", "v", "a")]) == ([], [])


def test_none_passes_a_step_of_the_host() -> None:
    steps: list[Step] = [step("A", "w", "a"), HostStep(0, "python", (), ()), step("B", "v", "b")]
    assert together(steps) == ([], [])
    assert together([steps[0], Copy(ord("a"), ord("z"), 4), steps[2]]) == ([], ["AB"])


def test_who_cannot_wait_lets_others_go_on() -> None:
    steps: list[Step] = [
        step("A", "w", "a"),
        step("B", "v", "b"),
        step("C", "u", "c"),
        step("x", "ac", "r"),
        step("D", "t", "d"),
    ]
    assert together(steps)[0] == ["AC", "BD"]
    assert together(steps)[1] == ["ABCD"]


def test_so_many_bytes_wait_at_most() -> None:
    steps: list[Step] = [step(letter, "", letter.lower()) for letter in "ABCDE"]
    assert together(steps, held=40)[0] == ["AB", "CD"]
    assert together(steps, held=101)[0] == []
    many: list[Step] = [step("A", "", chr(1000 + n)) for n in range(80)]
    assert list(map(len, together(many, held=0)[0])) == [MOST_PARTS, MOST_PARTS, 16]


# --- plans -------------------------------------------------------------------------------


def test_a_plan_is_for_all_sizes_and_is_read_back() -> None:
    made = compiled(graph(branches()))
    data = json.loads(json.dumps(plan_to_json(made.general)))
    read = plan_from_json(data)
    for batch, side in ((1, 24), (5, 24), (3, 17)):
        values = {**made.values, "N": batch, "H": side, "W": side}
        plan = plan_at(made.general, values)
        assert saved_plan_at(read, values) == plan
        assert plan.kernels == made.plan.kernels
    alone = compiled(graph(branches()), passes=ALONE)
    for name, number in made.plan.complete_after.items():
        writers = [i for i, s in enumerate(made.plan.steps) if _writes(made, s, name)]
        assert number == max(writers)
    assert made.plan.complete_after.keys() == alone.plan.complete_after.keys()


def _writes(made: CompiledGraph, step: Step, name: str) -> bool:
    buffers = {p.buffer for p in made.plan.outputs if p.name == name}
    return not buffers.isdisjoint(step.writes)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda s: s["arguments"].pop(), "arguments"),
        (lambda s: s["arguments"].__setitem__(0, 5), "is no pointer"),
        (lambda s: s["arguments"].__setitem__(-1, {"buffer": 0}), "is no i32"),
        (lambda s: s["arguments"].__setitem__(0, {"buffer": 9999}), "there are"),
        (lambda s: s["writes"].append(9999), "there are"),
        (lambda s: s["grid"].__setitem__(0, -1), "a grid of"),
        (lambda s: s.__setitem__("kernel", 9999), "the kernel"),
    ],
)
def test_damage_is_found(damage: Any, said: str) -> None:
    made = compiled(graph(branches()))
    data = json.loads(json.dumps(plan_to_json(made.plan)))
    damage(next(s for s in data["steps"] if BESIDE in s.get("label", "")))
    with pytest.raises(ValueError, match=said):
        saved_plan_at(plan_from_json(data), {}, as_saved=True)


def test_the_table_of_steps_has_a_row_for_each_part() -> None:
    made = compiled(graph(branches()))
    rows = step_table(made.plan).splitlines()
    for launch in bundles(made):
        first, *others = launch.label.split(BESIDE)
        at = next(i for i, row in enumerate(rows) if row.split()[1:2] == [first])
        number = rows[at].split()[0]
        found = [row.split()[:3] for row in rows[at + 1 : at + 1 + len(others)]]
        assert found == [[number, "+", other] for other in others]


def test_two_compilations_are_the_same() -> None:
    one, two = (compiled(graph(branches())) for _ in range(2))
    assert plan_to_json(one.general) == plan_to_json(two.general)
    assert [x.readable() for x in bundles(one)] == [x.readable() for x in bundles(two)]


def test_diffs_do_not_wait_while_many_others_become_complete() -> None:
    steps: list[Step] = [step("A", "w", "a"), step("B", "v", "b"), step("C", "u", "c")]
    assert together(steps)[0] == ["ABC"]
    assert together(steps, completed=MOST_COMPLETED)[0] == ["AB"]
    assert together(steps, completed=MOST_COMPLETED + 1)[0] == []


def copying(steps: list[Step], diffs: str = "d") -> str:
    """Where copies stand in a plan that may move them: as two letters in lower case."""
    buffers = tuple(PlanBuffer(chr(n), TensorType((1,))) for n in range(128))
    outputs = tuple(PlanPort(Role.GRADIENT, letter, ord(letter)) for letter in diffs)
    plan = with_early_copies(Plan("p", (), buffers, (), outputs, tuple(steps)))
    return " ".join(
        f"{s.source:c}{s.target:c}" if isinstance(s, Copy) else getattr(s, "label", "host")
        for s in plan.steps
    )


def test_copies_of_diffs_follow_what_they_copy() -> None:
    made, other = step("A", "w", "a"), step("B", "v", "b")
    copy = Copy(ord("a"), ord("d"), 4)
    assert copying([made, other, copy]) == "A ad B"
    assert copying([made, step("B", "d", "b"), copy]) == "A B ad"  # the old one is read before
    assert copying([other, made, other, copy], diffs="") == "B A B ad"  # it is no diff
    assert copying([made, other, copy, Copy(ord("d"), ord("e"), 4)], diffs="de") == "A ad de B"
