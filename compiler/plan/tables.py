"""A plan for people: what runs in which order, and where everything lies."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence

from compiler.kernel import BESIDE
from ir.printable import printable
from ir.text_table import text_table

from .arena import aligned
from .memory import least_memory, lifetimes
from .plan import Copy, Plan, PlanLaunch, Repeat


def step_table(plan: Plan, kernels: Sequence[str] | None = None) -> str:
    """The steps by number: label, grid, configuration, file of the kernel, and the variables whose
    diffs are complete from there on. Kernels that share a launch have a row each. ``kernels``: what
    is told instead of files."""
    files = kernel_files(plan) if kernels is None else kernels
    complete: dict[int, list[str]] = {}
    for name, number in plan.complete_after.items():
        complete.setdefault(number, []).append(name)
    rows = [["step", "launch", "grid", "configuration", "kernel", "diffs complete"]]
    for number, step in enumerate(plan.steps):
        row = ["", "", "", ""]
        if isinstance(step, PlanLaunch):
            row = _launch(step, files)
        elif isinstance(step, Repeat):
            times = f"{step.turns} x "
            inner = [_launch(launch, files, times) for launch in step.launches]
            rows += [[f"{number}", *each, ""] for each in inner[:-1]]
            row = inner[-1]
        elif isinstance(step, Copy):
            row[0] = f"(copy) {plan.buffers[step.source].name} -> {plan.buffers[step.target].name}"
        else:
            row[0] = f"(host) {step.op}"
        first, *others = row[0].split(BESIDE)
        row[0] = first
        rows.append([f"{number}", *row, " ".join(complete.get(number, ()))])
        rows += [[f"{number}", f"+ {other}", "", "", "", ""] for other in others]
    return text_table(rows if complete else [row[:5] for row in rows])


def _launch(launch: PlanLaunch, files: Sequence[str], times: str = "") -> list[str]:
    file = files[launch.kernel]
    tile = [f"{k}={v}" for k, v in launch.config.constants]
    if file.endswith(".py"):  # a GPU's
        tile.append(f"warps={launch.config.num_warps}")
    return [f"{times}{launch.label}", "x".join(map(str, launch.grid)), " ".join(tile), file]


def kernel_files(plan: Plan) -> list[str]:
    """A file's name for each kernel, after its first launch; its ending tells the language."""
    labels: dict[int, str] = {}
    for launch in plan.launches:
        labels.setdefault(launch.kernel, launch.label)
    names = file_names(labels[n] for n in range(len(plan.kernels)))
    endings = ("c" if kernel.source.startswith("void ") else "py" for kernel in plan.kernels)
    return [f"{name}.{ending}" for name, ending in zip(names, endings, strict=True)]


def file_names(labels: Iterable[str]) -> list[str]:
    """A name per label, with a number where another has it; not every file system tells case."""
    names: list[str] = []
    taken: set[str] = set()
    for label in labels:
        stem = re.sub(r"[^A-Za-z0-9_.-]+", "_", label).strip("._-")[:80] or "kernel"
        numbered = (f"{stem}_{number}" for number in itertools.count(2))
        name = next(n for n in itertools.chain([stem], numbered) if n.lower() not in taken)
        taken.add(name.lower())
        names.append(name)
    return names


def memory_table(plan: Plan) -> str:
    """The buffers of the arena by offset, what is copied, and sums."""
    found = [(plan.memory.offsets[i.id] or 0, i) for i in lifetimes(plan)]
    rows = [("offset", "bytes", "live", "value")]
    for offset, i in sorted(found, key=lambda each: (each[0], each[1].first)):
        name = plan.buffers[i.id].name
        rows.append((f"{offset}", f"{i.size}", f"{i.first}..{i.last}", name))
    widths = [max(len(r[c]) for r in rows) for c in range(3)]
    lines = []
    for *numbers, name in rows:
        cells = [cell.rjust(width) for cell, width in zip(numbers, widths, strict=True)]
        lines.append("  ".join([*cells, name]))
    for step in plan.steps:
        if isinstance(step, Copy):
            source, target = (plan.buffers[number].name for number in step.uses)
            lines.append(f"copy {source} -> {target}")
    peak, total = plan.memory.nbytes, sum(aligned(i.size) for _, i in found)
    saved = 100.0 * (1.0 - peak / total) if total else 0.0
    outside = sum(aligned(plan.buffers[number].type.nbytes) for number in plan.bound)
    lines.append(
        f"arena {peak} bytes; all buffers {total} bytes ({saved:.0f}% saved); "
        f"lower bound {least_memory(plan)} bytes; outside the arena {outside} bytes"
    )
    return "\n".join(map(printable, lines)) + "\n"
