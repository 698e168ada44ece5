"""A folder of C as one program with its weights inside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .c_compiler import CCompiler
from .flags import program_flags
from .process import CompilerProcesses

_PATIENCE = 1800.0  # seconds for one file
_AS_PYTHON = ("-ffp-contract=off",)  # pictures become what they become there, to the last bit


def build_program(
    folder: Path,
    name: str,
    compiler: CCompiler,
    instructions: str,
    output: Path,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """What ``make single`` builds in an exported folder, without make.

    Args:
        name: of the net's files. instructions: those of the CPUs it was printed for.
        progress: called with 0 and the number of files first, and with all of them in the end.

    Raises CCompileError.
    """
    everywhere, kernels = program_flags(compiler, instructions)
    linked = f"-D{name.upper()}_LINKED"
    jobs = {
        f"{name}.c": (*kernels, linked),
        "main.c": (linked,),
        f"{name}_weights.S": (),
        "pictures.c": _AS_PYTHON,
        f"{name}_pictures.c": (),
    }
    files = [file for file in jobs if (folder / file).exists()]
    failed, hint = "does not build the program", "set CC to another compiler"
    with CompilerProcesses(compiler, failed, hint, len(files), _PATIENCE, folder) as processes:

        def compiled(file: str) -> str:
            processes.run([*everywhere, *jobs[file], "-c", "-o", f"{file}.o", file])
            return f"{file}.o"

        if progress is not None:
            progress(0, len(files))
        try:
            objects = list(processes.threads.map(compiled, files))
            processes.run([*everywhere, "-s", "-o", str(output), *objects, "-lm"])
        finally:
            if progress is not None:
                progress(len(files), len(files))
