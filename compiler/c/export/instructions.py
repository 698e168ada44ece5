"""Which CPUs a printout is for, as its source says it to compilers and asks it of the machine."""

from __future__ import annotations

import re

from compiler.instructions import Instructions

_GOES_ON = " \\"  # of a directive's line
_ONE = {"sse4.2": 20, "popcnt": 23, "fma": 12}
_SEVEN = {"avx2": 5, "bmi": 3, "bmi2": 8, "avx512f": 16, "avx512dq": 17, "avx512cd": 28}
_SEVEN |= {"avx512bw": 30, "avx512vl": 31}
"""Bits by which a CPU says what it has (CPUID, leaf 1 in ecx and leaf 7 in ebx); it has the others
of a level, too."""
_ASKED = {**_ONE, **_SEVEN}


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
    """A function that asks the CPU whether it has them.

    Not by ``__builtin_cpu_supports``, which says no to everything where Zig links.
    """
    names = [option.removeprefix("-m") for option in instructions.options]
    one, seven = (sum(1 << bits[name] for name in names if name in bits) for bits in (_ONE, _SEVEN))
    lines = [f'#define INSTRUCTIONS "{instructions.name}"']
    if not one | seven:
        return "\n".join([*lines, "#define ANYWHERE", "static int able(void) { return 1; }", ""])
    # What the system keeps of a thread: vectors of 32 bytes, of 64.
    kept = 0xE6 if "avx512f" in names else 0x6 if "avx2" in names else 0
    lines += [
        "/* Of functions that run before it is known what the CPU can do. */",
        '#define ANYWHERE __attribute__((noinline, target("no-avx")))',
        "#include <cpuid.h>",
        "ANYWHERE static int able(void) {",
        f"    const unsigned one = {one:#x}, seven = {seven:#x}, kept = {kept:#x};",
        "    unsigned a, b, c, d, has, more = 0, keeps = 0;",
        "    if (!__get_cpuid(1, &a, &b, &has, &d)) return 0;",
        "    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) more = b;",
        '    if (has >> 27 & 1) __asm__ volatile("xgetbv" : "=a"(keeps), "=d"(d) : "c"(0));',
        "    return (has & one) == one && (more & seven) == seven && (keeps & kept) == kept;",
        "}",
        "",
    ]
    return "\n".join(lines)
