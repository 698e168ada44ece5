"""Kernels as one C program that holds all of them against the reference, for any machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from compiler.c.checked_file import check_function, check_support
from compiler.c.lanes import lanes_of, with_layout
from compiler.c.lower import lower_to_c
from compiler.c.support import prelude
from compiler.image_layout import ROW_MAJOR, wanted_layout
from compiler.instructions import instructions_named
from compiler.options import CompileOptions
from compiler.target import Target
from ir.graph import Node
from ir.graph_sizes import Substitution
from ir.layout import Layout
from ir.op import Op
from ir.program import NetProgram
from roastery.bench.groups import groups_of
from roastery.bench.lone_group import places_found
from runtime.machine.processor import having
from tests.interpret.kernel_runner import single
from tests.support.layouts import with_layouts
from tests.support.op_cases import OpCase


@dataclass(frozen=True)
class Checked:
    """A group of plain numbers. ``known``: operands by number; the others are drawn."""

    label: str
    node: Node
    known: Mapping[int, np.ndarray] = field(default_factory=dict)


def target_of(instructions: str) -> Target:
    """A CPU of these instructions, with small caches: sums over a batch are split soon."""
    common = Target("cpu", l1_cache=1 << 15, l2_cache=1 << 18)
    return with_layout(having(common, instructions_named(instructions)))


def program(groups: Iterable[Checked], target: Target) -> tuple[str, int]:
    """It ends with 1 where a result is wrong, after it has said which. And its kernels."""
    options, at = CompileOptions(target=target), Substitution({})
    functions: dict[str, str] = {}
    checks, calls = [], []
    for i, group in enumerate(groups):
        launches = lower_to_c(group.node, options)
        functions |= {launch.kernel.entry: launch.kernel.source for launch in launches}
        entries = [launch.kernel.entry for launch in launches]
        name = f"check_{i}"
        checks.append(check_function(name, group.node, launches, entries, at, group.known))
        calls.append(f'    puts("{group.label}");\n    wrong |= {name}();')
    main = "\n".join(["int main(void) {", "    int wrong = 0;", *calls, "    return wrong;", "}\n"])
    before = prelude(lanes_of(target))
    text = "\n".join([before, *functions.values(), check_support(), *checks, main])
    return text, len(functions)


def records(cases: Iterable[OpCase], layout: str = ROW_MAJOR) -> Iterator[Checked]:
    """The samples of ops; in another layout those that have channels."""
    for case in cases:
        rng = np.random.default_rng(4)
        node = single(case.op, *(x.type for x in case.inputs))
        if layout != ROW_MAJOR:
            wanted = _wanted(layout, case.op, node)
            if not any(wanted):
                continue
            node = with_layouts(node, wanted)
        known = {i: x.array(rng).astype(x.dtype.numpy) for i, x in enumerate(case.inputs)}
        yield Checked(f"{case}, {layout}", node, known)


def groups(net: NetProgram, target: Target, *, backward: bool) -> Iterator[Checked]:
    """Those of a net, in the layouts that it has for the target."""
    for group in groups_of(net, CompileOptions(target=target), backward=backward):
        makers = {value: node for node in group.graph.nodes for value in node.outputs}
        yield Checked(group.label, group.at_hand, places_found(group.at_hand, makers))


def _wanted(layout: str, op: Op, node: Node) -> list[Layout | None]:
    values = (*node.inputs, *node.outputs)
    if len(op.channels) != len(values):
        return [None] * len(values)
    pairs = zip(values, op.channels, strict=True)
    return [wanted_layout(layout, value.type, channels) for value, channels in pairs]
