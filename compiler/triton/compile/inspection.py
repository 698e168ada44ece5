"""Reading what a compiler made: parameters of PTX, resources of cubins."""

from __future__ import annotations

import re

from compiler.binary import HIDDEN, Resources

_ENTRY = re.compile(r"\.visible\s+\.entry\s+([A-Za-z_][\w$]*)\s*\((.*?)\)", re.DOTALL)
_PARAMETER = re.compile(r"\.param\s+(?:\.align\s+\d+\s+)?\.([a-z]\d+)\b")
_USAGE = re.compile(r"Function (\S+):\s+REG:(\d+) STACK:(\d+) SHARED:(\d+) LOCAL:(\d+)")

_BYTES = {"pointer": 8, "i64": 8, "i32": 4, "f32": 4}


class InspectionError(Exception):
    """The compiler's output is not of the form that is known."""


def ptx_parameters(ptx: str) -> list[str]:
    """PTX types of the only entry's parameters, in order: ``u64``, ``u32``, ``f32``, ..."""
    entries = _ENTRY.findall(ptx)
    if len(entries) != 1:
        raise InspectionError(f"the PTX has {len(entries)} entries, not one")
    return _PARAMETER.findall(entries[0][1])


def argument_layout(kinds: list[str], ptx: str) -> tuple[str, ...]:
    """The kernel's kinds with the hidden pointers that the PTX shows besides.

    Raises :class:`InspectionError` when sizes or counts do not fit: launching with such a
    layout would read arguments from the wrong places.
    """
    found = ptx_parameters(ptx)
    layout = [*kinds, *HIDDEN[: max(len(found) - len(kinds), 0)]]
    sizes = [int(kind[1:]) // 8 for kind in found]
    if sizes != [_BYTES.get(kind, 8) for kind in layout]:
        raise InspectionError(f"the PTX takes {found}, not {layout}")
    return tuple(layout)


def resource_usage(report: str, entry: str, shared: int) -> Resources:
    """From the text of ``cuobjdump -res-usage``; ``shared`` is what each launch asks for."""
    for name, registers, stack, _, local in _USAGE.findall(report):
        if name == entry:
            return Resources(int(registers), int(stack), int(local), shared)
    raise InspectionError(f"no resource usage of {entry} in: {report.strip()[:400]!r}")
