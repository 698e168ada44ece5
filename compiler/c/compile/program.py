"""A folder of C as one program with its weights inside."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Sequence
from concurrent import futures
from pathlib import Path

from ir.errors import RoasteryError

from .c_compiler import CCompiler
from .flags import program_flags

_PATIENCE = 1800.0  # seconds for one file
_SHOWN = 4000  # characters of what a compiler says
_AS_PYTHON = ("-ffp-contract=off",)  # pictures become what they become there, to the last bit


def build_program(
    folder: Path, name: str, compiler: CCompiler, instructions: str, output: Path
) -> None:
    """What ``make single`` builds in an exported folder, without make.

    Args:
        name: of the net's files. instructions: those of the CPUs it was printed for.

    Raises RoasteryError with what the compiler says.
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

    def compiled(file: str) -> str:
        _run([*everywhere, *jobs[file], "-c", "-o", f"{file}.o", file], folder, compiler)
        return f"{file}.o"

    with futures.ThreadPoolExecutor(max(1, min(len(files), os.cpu_count() or 1))) as threads:
        objects = list(threads.map(compiled, files))
    _run([*everywhere, "-s", "-o", str(output), *objects, "-lm"], folder, compiler)


def _run(words: Sequence[str], folder: Path, compiler: CCompiler) -> None:
    command = [*compiler.command, *words]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
        )
        said, failed = done.stdout, done.returncode != 0
    except subprocess.TimeoutExpired:
        said, failed = f"error: it took longer than {_PATIENCE:g} s", True
    except OSError as error:
        said, failed = f"error: it cannot be run: {error.strerror}", True
    if failed:
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        first = next(
            (line for line in lines if "error" in line), (lines or ["it says nothing"])[-1]
        )
        raise RoasteryError(
            f"the C compiler {compiler} does not build the program: {first}",
            hint="set CC to another compiler",
            detail=f"{shlex.join(command)}\n{said[:_SHOWN]}",
        )
