"""For which CPUs a net is exported: *baselines*, sets of instructions by name."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.c.compile.c_compiler import CCompiler, NoCompiler, find_compiler, zig_compiler
from compiler.c.lanes import with_layout
from compiler.instructions import INSTRUCTIONS, UNKNOWN, Instructions, instructions_named
from compiler.target import Target
from ir.errors import RoasteryError
from ir.printable import printable
from runtime.machine.processor import cpu_target, having

NONE = "none"


def baseline_target(baseline: str | None) -> Target:
    """This CPU, as one of other instructions where some are named. Raises RoasteryError."""
    own = cpu_target()
    if baseline is None or baseline == own.instructions:
        return with_layout(own)
    return with_layout(having(own, _known(baseline)))


def runs_here(instructions: str) -> bool:
    """Whether this machine has them all."""
    own, asked = (instructions_named(n) for n in (cpu_target().instructions, instructions))
    if own not in INSTRUCTIONS:
        return own is asked
    return asked.machine == own.machine and asked in INSTRUCTIONS[INSTRUCTIONS.index(own) :]


def compilers_for(asked: Sequence[str]) -> dict[str, CCompiler]:
    """What compiles for each baseline, by its name: those that are asked for, else all that can be.

    Raises RoasteryError for an unknown baseline, and for one that is asked for and has no compiler.
    """
    if NONE in asked:
        return {}
    if not asked:
        known = [i for i in INSTRUCTIONS if i.name != "x86-64"]  # which numpy serves as well
        found = ((i.name, _compiler_for(i)) for i in known)
        return {name: made for name, made in found if isinstance(made, CCompiler)}
    return {known.name: compiler_for(known.name) for known in map(_known, asked)}


def compiler_for(instructions: str) -> CCompiler:
    """What compiles for CPUs of these. Raises RoasteryError where nothing does."""
    compiler = _compiler_for(instructions_named(instructions))
    if isinstance(compiler, NoCompiler):
        raise RoasteryError(
            f"nothing compiles for {instructions}: {compiler.reason}",
            hint="`pip install ziglang` (101 MB) brings a compiler for all of them",
        )
    return compiler


def _compiler_for(instructions: Instructions) -> CCompiler | NoCompiler:
    found = find_compiler()
    native = instructions.machine == instructions_named(cpu_target().instructions).machine
    if isinstance(found, CCompiler) and (native or found.kind == "zig"):
        return found
    other = "there is no compiler for another machine"
    return zig_compiler() or (NoCompiler(other) if isinstance(found, CCompiler) else found)


def _known(name: str) -> Instructions:
    known = instructions_named(name)
    if known is UNKNOWN:
        raise RoasteryError(
            f"unknown CPU baseline '{printable(name)}'",
            hint=f"baselines: {', '.join(i.name for i in INSTRUCTIONS)}",
        )
    return known
