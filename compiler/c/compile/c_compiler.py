"""Which C compiler there is.

The first of: what ``CC`` says, words with arguments among them (``python -m ziglang cc``);
gcc, clang, cc on the ``PATH``; Zig's, where the package ziglang is installed.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

HINT = "install gcc or clang, or `pip install roastery[cpu]`, or set CC to a C compiler"
_PATIENCE = 60  # seconds for a compiler to say its version


@dataclass(frozen=True, slots=True)
class CCompiler:
    """``version``: what it says of itself; what it makes is kept under it."""

    command: tuple[str, ...]
    version: str

    def __str__(self) -> str:
        return f"{shlex.join(self.command)} ({self.version})"

    @property
    def kind(self) -> Literal["zig", "clang", "gcc"]:
        """Whose options it has."""
        if "ziglang" in self.command or Path(self.command[0]).name.startswith("zig"):
            return "zig"
        return "clang" if "clang" in self.version else "gcc"


@dataclass(frozen=True, slots=True)
class NoCompiler:
    """``reason``: a sentence for people."""

    reason: str


def find_compiler() -> CCompiler | NoCompiler:
    """The one to use; what was found is known until the environment changes."""
    return _found(os.environ.get("CC", ""), os.environ.get("PATH", ""))


@functools.lru_cache
def _found(named: str, path: str) -> CCompiler | NoCompiler:
    if named.strip():
        try:
            command = tuple(shlex.split(named))
        except ValueError as error:
            return NoCompiler(f"CC is '{named}': {error}")
        return _asked(command, path) or NoCompiler(f"CC is '{named}', which is none")
    for name in ("gcc", "clang", "cc"):
        if (found := _asked((name,), path)) is not None:
            return found
    return zig_compiler() or NoCompiler("there is no C compiler")


def _asked(command: tuple[str, ...], path: str) -> CCompiler | None:
    """A compiler that says its version; None: it is not there, or is none."""
    program = shutil.which(command[0], path=path)
    if program is None:
        return None
    command = (os.path.abspath(program), *command[1:])  # it runs in other folders, too
    try:
        done = subprocess.run(
            [*command, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version = done.stdout.strip().partition("\n")[0]
    return CCompiler(command, version) if done.returncode == 0 and version else None


def zig_compiler() -> CCompiler | None:
    """The program of the package ziglang, which compiles for all machines.

    It is not asked for its version, which takes it a while.
    """
    spec = importlib.util.find_spec("ziglang")
    for folder in (spec and spec.submodule_search_locations) or ():
        program = Path(folder, "zig")
        if program.is_file():
            version = importlib.metadata.version("ziglang")
            return CCompiler((str(program), "cc"), f"clang of ziglang {version}")
    return None
