"""What a schedule is given, and what it hands back; the file around a kernel's body."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from compiler.kernel import Config, Kernel, Launch, Scratch
from compiler.options import CompileOptions
from ir.graph import Graph, Node, Value

from .helpers import source_of
from .writer import Finished, Style, Writer


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One Fused node to print: its body, the buffers around it."""

    node: Node
    label: str
    schedule: str
    body: Graph
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    options: CompileOptions


@dataclass(frozen=True, slots=True)
class Printed:
    """What a schedule says of the kernel whose body it wrote."""

    name: str  # of the entry function: the family, not the layer
    constants: tuple[str, ...]  # constexpr parameters
    configs: tuple[Config, ...]
    choice: int
    grid: tuple[int, int, int]
    writes: tuple[Value | Scratch, ...]
    why: str


Schedule = Callable[[Task, Writer], Printed]


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to do a task, in numbers."""

    tile: int = 0  # of the schedule's table
    splits: int = 1  # parts that the work of every result is in; a second kernel adds them up
    second: int = 0  # tile of that kernel


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A task and the ways to do it: the one that its schedule prefers, then all others."""

    choices: Sequence[Choice]
    launches: Callable[[Choice], list[Launch]]


def preferring(best: int, count: int) -> list[int]:
    """Numbers of a table's tiles, ``best`` first."""
    return [best, *(i for i in range(count) if i != best)]


# Elements of a tensor from which on indices have 64 bits (a tile may run past the end).
WIDE = 2**31 - 2**16

IMPORTS = "import triton\nimport triton.language as tl\n"


def make_launch(task: Task, schedule: Schedule, suffix: str = "") -> Launch:
    """Print one kernel and bind its arguments. The readable text is left for later."""
    from .render import readable_file

    wide = any(v.type.size >= WIDE for v in (*task.inputs, *task.outputs))
    plain, helpers, printed = _printed(task, schedule, Style(readable=False), wide)
    source = IMPORTS + source_of(helpers) + "\n\n" + _function(plain, printed, printed.name)
    label = task.label + suffix

    def readable() -> str:
        shown, _, again = _printed(task, schedule, Style(readable=True), wide)
        return readable_file(
            task, label, again, helpers, lambda name: _function(shown, again, name)
        )

    kernel = Kernel(
        entry=printed.name,
        source=source,
        parameters=tuple(p for p, _ in plain.parameters),
        configs=printed.configs,
        readable=readable,
    )
    return Launch(
        kernel,
        printed.choice,
        tuple(a for _, a in plain.parameters),
        printed.grid,
        label,
        task.node.location,
        printed.writes,
    )


def _printed(
    task: Task, schedule: Schedule, style: Style, wide: bool
) -> tuple[Finished, list[str], Printed]:
    writer = Writer(style, wide)
    printed = schedule(task, writer)
    return writer.finish(), writer.helpers, printed


def _function(body: Finished, printed: Printed, name: str) -> str:
    arguments = [p.name for p, _ in body.parameters]
    arguments += [f"{c}: tl.constexpr" for c in printed.constants]
    head = f"def {name}({', '.join(arguments)}):"
    if len(head) > 100:
        head = f"def {name}(\n    {', '.join(arguments)},\n):"
        if len(head.splitlines()[1]) > 100:
            head = f"def {name}(\n" + "".join(f"    {a},\n" for a in arguments) + "):"
    return "@triton.jit\n" + "\n".join([head, *body.lines]) + "\n"
