"""Kernels that begin while the launch before them ends (programmatic dependent launch).

The first thing that each program of such a kernel does is to wait until the launch before it is
done and what that wrote can be seen; the second, to let the launch behind it begin. Hopper and
newer GPUs have an instruction for either. Why nothing is read or written too early:

* Before the wait a program computes nothing: what is gained is that it is there already.
* Every program waits, whatever it reads. So a launch is not done before the one before it is, and
  to wait for the last one is to wait for all.
* A launch begins early only behind one all of whose programs have begun, and have waited. So two
  are there at a time, and none takes room from programs that have yet to begin.
* Behind anything else (copies, kernels that do not wait, marks in a stream) it begins as always.
"""

from __future__ import annotations

import ast
import re

CAPABILITY = 90
"""The oldest that has the instructions."""

_LINES = ("tl.extra.cuda.gdc_wait()", "tl.extra.cuda.gdc_launch_dependents()")
_WAIT = "griddepcontrol.wait"
_MEMORY = re.compile(r"^\s*(?:@!?%p\d+ )?(?:(?:ld|st|atom|red)\.(?!param)|cp\.)", re.MULTILINE)


def waiting(source: str, entry: str) -> str:
    """A kernel's file with the two in front of all that it does."""
    (function,) = (
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name == entry
    )
    lines = source.splitlines(keepends=True)
    first = function.body[0].lineno - 1
    return "".join([*lines[:first], *(f"    {line}\n" for line in _LINES), *lines[first:]])


def waits_first(ptx: str) -> bool:
    """Whether nothing is read or written before the wait."""
    before, found, _ = ptx.partition(_WAIT)
    return bool(found) and _MEMORY.search(before) is None
