"""What a C compiler is told. Numbers keep their IEEE meaning; a * b + c may round once."""

from __future__ import annotations

from compiler.instructions import Instructions, instructions_named

from .c_compiler import CCompiler

_NUMBERS = ("-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-fwrapv")
_ALWAYS = ("-std=gnu11", "-O3", *_NUMBERS, "-fPIC", "-shared", "-Wno-psabi", "-pthread")


_OLDEST = "gnu.2.17"  # systems on which a library that goes elsewhere runs: of 2012


def compiler_flags(
    compiler: CCompiler, instructions: str, elsewhere: bool = False
) -> tuple[str, ...]:
    """For a shared library that runs on every CPU of these instructions.

    Nothing depends on the machine that compiles, so ``-march=native`` is never among them.

    Args:
        elsewhere: it goes to another machine, which may be of another kind if the compiler is
            Zig's.
    """
    named = instructions_named(instructions)
    flags = (*_ALWAYS, *_options(compiler, named))
    if not elsewhere:
        return flags
    target = ("-target", f"{named.machine}-linux-{_OLDEST}")
    return (*flags, "-s", *(target if compiler.kind == "zig" and named.machine else ()))


def program_flags(compiler: CCompiler, instructions: str) -> tuple[tuple[str, ...], ...]:
    """For a program: what all files are compiled and linked with, and the kernels' besides.

    The others run on any CPU of the machine's kind, to tell of instructions that it lacks. Zig's
    compiler, which has no libc of its own system, links that of musl: it needs no other file.
    """
    named = instructions_named(instructions)
    everywhere: tuple[str, ...] = ("-std=c11", "-O3", *_NUMBERS, "-pthread")
    if compiler.kind == "zig":
        # Without -mcpu it means the machine's own.
        target = ("-target", f"{named.machine}-linux-musl") if named.machine else ()
        everywhere = (*everywhere, "-mcpu=baseline", *target)
    return everywhere, _options(compiler, named)


# Loops have their vectors already. What gcc 12 makes vectors of besides, loops over the sides of an
# image, reads behind tensors.
_GCC = ("-fno-tree-loop-vectorize",)


def _options(compiler: CCompiler, instructions: Instructions) -> tuple[str, ...]:
    if compiler.kind == "zig":  # which means the machine's own where nothing is said
        named = instructions.machine == "x86_64"
        return (f"-mcpu={instructions.name.replace('-', '_') if named else 'baseline'}",)
    return (*instructions.options, *(_GCC if compiler.kind == "gcc" else ()))
