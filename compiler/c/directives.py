"""What a file with kernels says to compilers, whatever flags it is compiled with."""

from __future__ import annotations

from compiler.instructions import Instructions

DIAGNOSTICS = """#pragma GCC diagnostic ignored "-Wunused-function" /* not every kernel needs all */
#pragma GCC diagnostic ignored "-Wunused-const-variable"
#pragma GCC diagnostic ignored "-Wpsabi" /* vectors go to no other file */
#if !defined __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized" /* gcc sees no loop over lanes end */
#endif
"""
"""It warns of nothing that is meant."""


def compiler_options(instructions: Instructions) -> str:
    """What decides the bits of results, whatever flags the file is compiled with: numbers keep
    their IEEE meaning, a product and a sum may round once.

    gcc takes the instructions from the file, too. clang would, and passes vectors wrongly then.
    """
    gcc = [
        '#pragma GCC optimize("fp-contract=fast", "no-math-errno", "no-trapping-math", "wrapv")',
        '#pragma GCC optimize("no-tree-loop-vectorize") /* loops have their vectors already */',
    ]
    if instructions.machine == "x86_64":
        gcc.insert(0, f'#pragma GCC target("arch={instructions.name}")')
    lines = ["#if defined __clang__", "#pragma clang fp contract(fast)", "#else", *gcc, "#endif"]
    return "\n".join(lines)
