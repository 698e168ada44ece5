"""The steps of loops in plans: where a step finds its values, and what files may ask for."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from compiler.compiled import CompiledGraph
from compiler.options import CompileOptions
from compiler.pipeline import compile_graph
from compiler.plan.check import check_plan
from compiler.plan.memory import least_memory
from compiler.plan.plan import Moving, PartRef, Plan, PlanLaunch, Ref, Repeat
from compiler.plan.saved import plan_from_json, plan_to_json
from compiler.plan.saved_sizes import saved_plan_at
from compiler.triton.lower import lower_node
from ir import expr as e
from ir.build import Builder
from ir.graph import Graph
from ir.loop_builder import LoopBuilder
from ir.ops.loop import StepLoop
from ir.size import Scope, symbol
from ir.types import TensorType

STEPS, COLUMNS = 5, 16


def graph(
    rows: int = 2, columns: int = COLUMNS, *, kept: bool = True, backwards: bool = False
) -> Graph:
    """h = tanh(h w + x), of all steps if it is kept, and h after the last one."""
    b = Builder("g")
    x = b.input("x", TensorType((STEPS, rows, columns)))
    start = b.input("start", TensorType((rows, columns)))
    weights = b.input("w", TensorType((columns, columns)))

    def made(sliced: int, carried: int, body: Graph) -> StepLoop:
        return StepLoop(STEPS, sliced, carried, body, backwards)

    loop = LoopBuilder(b, "step", made)
    part, h, w = loop.part(x), loop.carry(start), loop.fixed(weights)
    product = loop.body.matmul(h, w)
    new = loop.body.map(e.tanh(e.arg(0) + e.arg(1)), product, part)
    loop.hand_on(h, new)
    if kept:
        loop.stack(new)
    done = loop.finish()
    b.output("last", done.last[h])
    if kept:
        b.output("all", done.stacks[new])
    return b.finish()


def compiled(of: Graph) -> CompiledGraph:
    return compile_graph(of, lower_node, CompileOptions())


def places(plan: Plan, number: int) -> list[Ref | PartRef]:
    """Of an argument of the only launch of a step, in all steps."""
    (repeat,) = plan.repeats
    return [a for x in repeat.unrolled() if isinstance(a := x.arguments[number], Ref | PartRef)]


def test_a_state_that_is_kept_is_read_where_it_was_written() -> None:
    for backwards in (False, True):
        plan = compiled(graph(backwards=backwards)).plan
        whole, start = plan.outputs[1].buffer, plan.inputs[1].buffer
        nbytes = 2 * COLUMNS * 4
        slots = [PartRef(whole, nbytes * step, nbytes) for step in range(STEPS)]
        slots = slots[::-1] if backwards else slots
        (repeat,) = plan.repeats
        found = [places(plan, n) for n in range(len(repeat.launches[0].arguments))]
        assert slots in found
        assert [Ref(start), *slots[:-1]] in found
        assert repeat.writes == (whole,)


def test_other_states_take_turns() -> None:
    plan = compiled(graph(kept=False)).plan
    (repeat,) = plan.repeats
    made = next(a for a in repeat.launches[0].arguments if isinstance(a, Moving) and a.last)
    places = [made.at(turn, STEPS) for turn in range(STEPS)]
    assert places[-1] == Ref(plan.outputs[0].buffer)
    assert places[0] == places[2] != places[1] == places[3]
    # Both are as large as they must be; a product that is not split has 16 elements of its own.
    assert plan.memory.nbytes == least_memory(plan) == 2 * 128 + 256


def test_a_step_writes_over_its_part_of_what_nobody_reads_later() -> None:
    """The stack of results is where the sliced operand was, but not where it is read after that."""
    for read_again in (False, True):
        b = Builder("g")
        x = b.map(e.arg(0) * 2.0, b.input("x", TensorType((STEPS, 2, COLUMNS))))
        start = b.input("start", TensorType((2, COLUMNS)))
        loop = LoopBuilder(b, "step", functools.partial(StepLoop, STEPS))
        part, h = loop.part(x), loop.carry(start)
        new = loop.body.map(e.tanh(e.arg(0) + e.arg(1)), h, part)
        loop.hand_on(h, new)
        loop.stack(new)
        stack = loop.finish().stacks[new]
        total = b.sum(stack, (0, 1))
        b.output("y", b.map(e.arg(0) + e.arg(1), total, b.sum(x, (0, 1))) if read_again else total)
        (repeat,) = compiled(b.finish()).plan.repeats
        moving = {a.buffer for a in repeat.launches[0].arguments if isinstance(a, Moving)}
        assert len(moving) == (2 if read_again else 1)


def test_more_steps_are_no_more_text() -> None:
    plan = compiled(graph()).plan
    (repeat,) = plan.repeats
    longer = replace(plan, steps=tuple(
        replace(s, turns=2000) if s is repeat else s for s in plan.steps
    ))  # fmt: skip
    assert len(json.dumps(plan_to_json(longer))) == len(json.dumps(plan_to_json(plan))) + 3
    assert sum(isinstance(s, PlanLaunch) for s in longer.plain_steps) >= 2000


def test_what_is_written_is_read_again_at_any_size() -> None:
    scope = Scope()
    rows = symbol(scope, "N", 3)
    general = compiled(graph(rows)).general
    scope.close()
    read = plan_from_json(json.loads(json.dumps(plan_to_json(general))))
    assert plan_to_json(read) == plan_to_json(general)
    for count in (1, 3, 8):
        found = saved_plan_at(read, {"N": count})
        (repeat,) = found.repeats
        moving = [a for a in repeat.launches[0].arguments if isinstance(a, Moving)]
        assert {a.nbytes for a in moving} == {count * COLUMNS * 4}


@pytest.mark.parametrize(("columns", "aligned"), [(16, True), (20, False)])
def test_parts_of_odd_sizes_begin_anywhere(columns: int, aligned: bool) -> None:
    """What lies behind the part of a step is the part of another one: no kernel may write there,
    nor take for granted that a part begins at 16 bytes."""
    found = compiled(graph(columns=columns))
    (repeat,) = found.plan.repeats
    (launch,) = repeat.launches
    parameters = found.plan.kernels[launch.kernel].parameters
    moving = [
        parameter.divisible
        for parameter, argument in zip(parameters, launch.arguments, strict=True)
        if isinstance(argument, Moving)
    ]
    assert moving == [aligned] * 3


def change(plan: Plan, number: int, new: Callable[[Moving], object]) -> Plan:
    """Another argument of the launch in the loop: the one of this number that moves."""
    (repeat,) = plan.repeats
    (launch,) = repeat.launches
    moving = [i for i, a in enumerate(launch.arguments) if isinstance(a, Moving)]
    arguments = list(launch.arguments)
    old = arguments[moving[number]]
    assert isinstance(old, Moving)
    arguments[moving[number]] = new(old)  # type: ignore[call-overload]
    launch = replace(launch, arguments=tuple(arguments))
    steps = (replace(repeat, launches=(launch,)) if s is repeat else s for s in plan.steps)
    return replace(plan, steps=tuple(steps))


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (lambda a: replace(a, stride=a.stride * 2), "leaves"),
        (lambda a: replace(a, stride=-a.stride), "leaves"),
        (lambda a: replace(a, start=a.start + 256), "leaves"),
        (lambda a: replace(a, start=a.start - 16, stride=a.stride), "leaves"),
        (lambda a: replace(a, stride=a.stride - 4), "leaves"),
        (lambda a: replace(a, nbytes=-4), "leaves"),
        (lambda a: replace(a, nbytes=1 << 40), "leaves"),
        (lambda a: replace(a, cycle=-64), "leaves"),
        (lambda a: replace(a, cycle=1 << 40), "leaves"),
        (lambda a: replace(a, buffer=99), "a buffer is 99"),
        (lambda a: replace(a, first=99), "a buffer is 99"),
        (lambda a: replace(a, last=-1), "a buffer is -1"),
        (lambda a: PartRef(a.buffer, 1 << 40, 4), "is no pointer"),
    ],
)
def test_places_outside_of_buffers_are_refused(
    new: Callable[[Moving], object], message: str
) -> None:
    plan = compiled(graph()).plan
    check_plan(plan)
    for number in range(3):
        with pytest.raises(ValueError, match=message):
            check_plan(change(plan, number, new))


@pytest.mark.parametrize("turns", [0, -1, 1 << 40])
def test_so_many_turns_are_refused(turns: int) -> None:
    plan = compiled(graph()).plan
    steps = (replace(s, turns=turns) if isinstance(s, Repeat) else s for s in plan.steps)
    with pytest.raises(ValueError, match=f"{turns} times"):
        check_plan(replace(plan, steps=tuple(steps)))


def test_nothing_moves_outside_of_a_loop() -> None:
    plan = compiled(graph()).plan
    (repeat,) = plan.repeats
    with pytest.raises(ValueError, match="is no pointer"):
        check_plan(replace(plan, steps=repeat.launches))
