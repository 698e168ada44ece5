"""What a kernel's text leaves open, its target's heuristic and choices say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compiler.kernels.choice import Choice, Heuristic
from compiler.kernels.launch import Ways
from compiler.kernels.schedule import schedule_task, task_of
from compiler.options import CompileOptions
from compiler.target import GENERIC
from compiler.triton.heuristics import GpuHeuristic
from compiler.triton.printer.file import canonical_file, readable_file
from ir.build import Builder
from ir.graph import Node
from ir.op import Op
from ir.ops.fusion import Fused
from ir.ops.matmul import MatMul
from ir.ops.window import WindowSum
from ir.size import value_of
from ir.types import TensorType

FOUR = replace(GENERIC, processors=4)


def group(op: Op, schedule: str, *shapes: tuple[int, ...]) -> Node:
    b = Builder("group")
    b.output(
        "y", b.emit(op, *(b.input(f"x{i}", TensorType(shape)) for i, shape in enumerate(shapes)))
    )
    inputs = Builder("net")
    values = [inputs.input(f"x{i}", TensorType(shape)) for i, shape in enumerate(shapes)]
    inputs.emit(Fused("group", schedule, b.finish()), *values)
    return inputs.finish().nodes[0]


def text(node: Node, heuristic: Heuristic, choice: Choice | None = None) -> str:
    task = task_of(node, CompileOptions(), heuristic, value_of)
    ways = Ways(task, schedule_task(task), canonical_file, readable_file)
    return ways.launches(choice or ways.choices[0])[0].kernel.source


WINDOW = group(WindowSum((1, 1, 3, 3), (1, 1, 1, 1), (0,) * 4, (0,) * 4), "flat", (2, 4, 9, 9))


@pytest.mark.parametrize("turns", [8, 9])
def test_the_heuristic_says_what_is_unrolled(turns: int) -> None:
    written = text(WINDOW, GpuHeuristic(FOUR, unrolled=turns))
    assert ("tl.static_range(3)" in written) == (turns >= 9)
    assert written.count("range(") >= 2


class Deep(GpuHeuristic):
    """One tile, with steps of a length along the depth."""

    depth = 32

    def contract(self, *shape: object) -> list[Choice]:
        (choice, *_) = super().contract(*shape)  # type: ignore[arg-type]
        sizes = {**dict(choice.config.constants), "K": self.depth}
        return [replace(choice, config=replace(choice.config, constants=tuple(sizes.items())))]


class Even(Deep):
    depth = 16


def test_choices_say_which_tiles_run_beside_each_other() -> None:
    node = group(MatMul(), "contract", (512, 48), (48, 256))
    task = task_of(node, CompileOptions(), GpuHeuristic(FOUR), value_of)
    first = schedule_task(task).choices[0]
    assert first.group == 8 and "tl.minimum(" in text(node, GpuHeuristic(FOUR), first)
    few = text(node, GpuHeuristic(FOUR), replace(first, group=3))
    assert "// (3 * " in few and "// (8 * " not in few


def test_only_a_depth_that_ends_with_every_step_needs_no_bound() -> None:
    node = group(MatMul(), "contract", (512, 80), (80, 256))
    bounded, free = text(node, Deep(FOUR)), text(node, Even(FOUR))
    assert bounded.count(" < ") == free.count(" < ") + 2
