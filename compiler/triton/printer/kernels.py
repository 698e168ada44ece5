"""What a schedule is given, and what it hands back; the file around a kernel's body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from compiler.kernel import Argument, Config, Kernel, Launch, Scratch
from ir.graph import Graph, Node, Value

from .helpers import source_of
from .writer import Style, Writer


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One Fused node to print: its body, the buffers around it."""

    node: Node
    label: str
    schedule: str
    body: Graph
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    precision: str = "ieee"  # of tl.dot on float32: "ieee", or "tf32" when asked for


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

IMPORTS = "import triton\nimport triton.language as tl\n"


def make_launch(task: Task, schedule: Schedule, suffix: str = "") -> Launch:
    """Print one kernel in both styles and bind its arguments."""
    from .render import readable_file

    wide = any(v.type.size >= 2**31 for v in (*task.inputs, *task.outputs))
    plain, printed = _printed(task, schedule, Style(readable=False), wide)
    source = IMPORTS + source_of(plain.helpers) + "\n\n" + _function(plain, printed, printed.name)
    pairs = plain.parameters()
    label = task.label + suffix
    shown, again = _printed(task, schedule, Style(readable=True), wide)
    kernel = Kernel(
        entry=printed.name,
        source=source,
        parameters=tuple(p for p, _ in pairs),
        configs=printed.configs,
        readable=readable_file(task, label, again, shown.helpers, lambda name: _function(
            shown, again, name)),
    )
    arguments: tuple[Argument, ...] = tuple(a for _, a in pairs)
    return Launch(
        kernel, printed.choice, arguments, printed.grid, label, task.node.location,
        printed.writes,
    )


def _printed(
    task: Task, schedule: Schedule, style: Style, wide: bool
) -> tuple[Writer, Printed]:
    writer = Writer(style, wide)
    return writer, schedule(task, writer)


def _function(writer: Writer, printed: Printed, name: str) -> str:
    arguments = [p.name for p, _ in writer.parameters()]
    arguments += [f"{c}: tl.constexpr" for c in printed.constants]
    head = f"def {name}({', '.join(arguments)}):"
    if len(head) > 100:
        head = f"def {name}(\n    {', '.join(arguments)},\n):"
    if len(head) > 104:
        head = f"def {name}(\n" + "".join(f"    {a},\n" for a in arguments) + "):"
    return "@triton.jit\n" + "\n".join([head, *writer.lines]) + "\n"
