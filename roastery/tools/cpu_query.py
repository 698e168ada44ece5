"""What runs nets on this machine's CPU."""

from __future__ import annotations

from compiler.c.compile.c_compiler import HINT, NoCompiler, find_compiler
from compiler.instructions import instructions_named
from runtime.machine.processor import cpu_target
from runtime.machine.threads import number_of_threads


def cpu_lines() -> list[str]:
    """The CPU, its vectors, how many threads run nets, and the compiler of their kernels.

    Raises RoasteryError for a number of threads that is none.
    """
    target, compiler = cpu_target(), find_compiler()
    rows = [
        ("CPU", target.name),
        ("Processors", target.processors),
        ("Threads of a net", number_of_threads(None, target.processors)),
        ("Instructions", instructions_named(target.instructions).shown),
        ("Vector", f"{target.vector} bytes, {target.registers} registers"),
    ]
    if isinstance(compiler, NoCompiler):
        rows.append(("C compiler", f"none: {compiler.reason}; {HINT}"))
    else:
        rows.append(("C compiler", str(compiler)))
    return [f"{name + ':':<30} {value}" for name, value in rows]
