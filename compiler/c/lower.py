"""Fused groups to C kernels and their launches."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace

from compiler.instructions import instructions_named
from compiler.kernel import WIDE, Launch
from compiler.kernels.launch import Printed, Ways
from compiler.kernels.nodes import KernelBody
from compiler.kernels.printer import Text
from compiler.kernels.provenance import Section, function_name, provenance
from compiler.kernels.schedule import schedule_task, task_of
from compiler.kernels.schedules.nests.flat import schedule_nest
from compiler.kernels.schedules.nests.reduce import schedule_nest_reduce
from compiler.kernels.schedules.patches import patch_node, schedule_patches
from compiler.kernels.schedules.registers.blocks import lies_for_registers
from compiler.kernels.schedules.registers.kernels import schedule_registers
from compiler.kernels.task import AsNumber, Scheduled, Task
from compiler.options import CompileOptions
from compiler.pipeline import SizeValues
from compiler.target import Target
from ir.graph import Graph, Node
from ir.graph_sizes import tensor_sizes
from ir.size import Evaluation, value_of

from .directives import DIAGNOSTICS, compiler_options
from .heuristic import VectorHeuristic
from .lanes import lanes_of
from .printer import c_comment, c_function
from .support import prelude

Readable = Callable[[Task, KernelBody], str]
"""Prints a kernel for people."""


def lower_to_c(
    node: Node,
    options: CompileOptions,
    number: AsNumber = value_of,
    known: Printed | None = None,
    readable: Readable | None = None,
) -> list[Launch]:
    """The launches that compute a :class:`Fused` node.

    They are chosen for the sizes that the graph was lowered at, whatever ``number`` says: other
    sizes compile nothing, and which sums are rounded depends on no size that came before.

    A kernel's source is its function alone: :mod:`.compile.kernels` puts many into one file.
    ``readable``: how it is shown; by default as a file that can be compiled.
    """
    task = _task(node, options, lanes_of(options.target), value_of)
    wide = replace(task, number=number).wide and not task.wide
    if wide or task.builder().wide:  # lanes hold numbers of 32 bits
        task = _task(node, options, 1, number if wide else value_of)
    return Ways(task, schedule_task(task), _canonical, readable or _readable).launches(known=known)


def deciding_sizes(graph: Graph, values: Mapping[str, int]) -> SizeValues:
    """What of the sizes decides how a graph is lowered to C: nothing, while no tensor needs indices
    of 64 bits."""
    number = Evaluation(values).size
    wide = any(number(size) >= WIDE for size in tensor_sizes(graph))
    return tuple(sorted(values.items())) if wide else ()


def _schedule_contract(task: Task, heuristic: VectorHeuristic) -> Scheduled:
    """Where blocks are not those of a layout that targets want, element by element."""
    if lies_for_registers(task.body):
        return schedule_registers(task, heuristic)
    return schedule_nest(task, heuristic)


def _schedule_flat(task: Task, heuristic: VectorHeuristic) -> Scheduled:
    node = patch_node(task.body, heuristic.lanes)
    if node is None:
        return schedule_nest(task, heuristic)
    return schedule_patches(task, node, heuristic.lanes)


def _task(node: Node, options: CompileOptions, lanes: int, number: AsNumber) -> Task:
    heuristic = VectorHeuristic(options.target, lanes)
    own = {
        "contract": functools.partial(_schedule_contract, heuristic=heuristic),
        "flat": functools.partial(_schedule_flat, heuristic=heuristic),
        "reduce": functools.partial(schedule_nest_reduce, heuristic=heuristic),
        "row": functools.partial(schedule_nest_reduce, heuristic=heuristic),
    }
    return task_of(node, options, heuristic, number, own)


def _canonical(body: KernelBody) -> tuple[str, str, Text]:
    source, text = c_function(body, body.name, readable=False)
    entry = f"{body.name}_{hashlib.sha256(source.encode()).hexdigest()[:16]}"  # one for one text
    return entry, source.replace(body.name, entry, 1), text


def _readable(task: Task, body: KernelBody) -> str:
    target = task.options.target
    compiled = "Compile, and compare with the reference", _commands(target)
    comment, function = readable_parts(task, body, compiled)
    said = compiler_options(instructions_named(target.instructions)), DIAGNOSTICS
    return "\n".join([f"{comment}\n", *said, prelude(lanes_of(target)), function])


def readable_parts(
    task: Task, body: KernelBody, *more: Section, with_options: bool = True
) -> tuple[str, str]:
    """What is said of a kernel, and its function, which is named after the group."""
    function, _ = c_function(body, f"{function_name(task, body)}_kernel", readable=True)
    return c_comment(provenance(task, body, *more, with_options=with_options)), function


def _commands(target: Target) -> list[str]:
    """For a kernel's file."""
    options = " ".join(("-O3", *instructions_named(target.instructions).options))
    return [f"cc {options} FILE.c -lm -o check && ./check"]
