"""Which CPUs a printout is for, as its source says it to compilers and asks it of the machine."""

from __future__ import annotations

import re

from compiler.instructions import Instructions

_GOES_ON = " \\"  # of a directive's line
_LEVELS = ("sse4.2", "popcnt", "avx2", "fma", "bmi", "bmi2")
_ASKED = {*_LEVELS, "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
"""Those that both compilers can ask a CPU for; it has the others of a level, too."""


def compiler_check(instructions: Instructions) -> str:
    """Stops at other CPUs than it was printed for."""
    machine, name = instructions.machine, instructions.name
    if not machine:
        return "/* It was printed for any CPU. */"
    lines = [
        f"#if !defined __{machine}__",
        f'#error "printed for {name}: export the net for this CPU (--cpu-baseline)"',
    ]
    if macros := [f"!defined {macro}" for macro in _macros(instructions)]:
        what = f"compile with -march={name}, or export the net for another (--cpu-baseline)"
        lines += [
            f"#elif {_wrapped('||', macros, _GOES_ON)}",
            f'#error "printed for {name}: {what}"',
        ]
    return "\n".join([*lines, "#endif"])


def _wrapped(between: str, parts: list[str], end: str) -> str:
    """Two to a line, each of which but the last has this end."""
    lines = [f" {between} ".join(parts[i : i + 2]) for i in range(0, len(parts), 2)]
    return f" {between}{end}\n        ".join(lines)


def _macros(instructions: Instructions) -> list[str]:
    """What compilers define where they may use them."""
    words = [option.removeprefix("-m") for option in instructions.options]
    return [f"__{re.sub(r'[^a-z0-9]', '_', w).upper()}__" for w in words if w in _ASKED]


def machine_check(instructions: Instructions) -> str:
    """A function that asks the CPU whether it has them."""
    names = [option.removeprefix("-m") for option in instructions.options]
    asked = [f'__builtin_cpu_supports("{name}")' for name in names if name in _ASKED]
    lines = [f'#define INSTRUCTIONS "{instructions.name}"']
    lines.append("/* Of functions that run before it is known what the CPU can do. */")
    plain = '__attribute__((noinline, target("no-avx")))' if asked else ""
    lines += [f"#define ANYWHERE {plain}".rstrip(), "ANYWHERE static int able(void) {"]
    if asked:
        lines.append("    __builtin_cpu_init();")
    lines += [f"    return {_wrapped('&&', asked, '') or '1'};", "}", ""]
    return "\n".join(lines)
