"""CPUs that tests have programs for: this one, by all or some of its instructions, and others."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from compiler.c.lanes import lanes_of
from compiler.instructions import instructions_named
from compiler.target import Target
from runtime.machine.processor import cpu_target
from tests.support.checked_program import target_of

ZIG = (sys.executable, "-m", "ziglang", "cc")
_SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")
_PATIENCE = 1800


@dataclass(frozen=True)
class CpuMachine:
    """``runner``: what runs its programs, where this machine does not."""

    name: str
    instructions: str
    compiler: tuple[str, ...]
    options: tuple[str, ...] = ("-O2",)
    runner: str = ""

    def __str__(self) -> str:
        return self.name

    @property
    def target(self) -> Target:
        return target_of(self.instructions)

    @property
    def flags(self) -> tuple[str, ...]:
        own = instructions_named(self.instructions).options
        return (*self.options, *(() if self.runner else own), "-Wno-psabi", "-ffp-contract=fast")

    @property
    def lanes(self) -> int:
        return lanes_of(self.target)

    def missing(self) -> str:
        """Why it cannot be tested here; empty where it can."""
        if _version(self.compiler) is None:
            return f"{' '.join(self.compiler[-2:])} is not installed"
        if self.runner:
            return "" if shutil.which(self.runner) else f"{self.runner} is not installed"
        known = cpu_target()
        wanted = instructions_named(self.instructions)
        here = instructions_named(known.instructions)
        able = here.machine == wanted.machine and wanted.needs <= here.needs
        return "" if able else f"this CPU has no {self.instructions}"

    @property
    def version(self) -> str:
        return _version(self.compiler) or ""

    def run(self, text: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """A program, compiled and run. Raises CalledProcessError where it does not compile."""
        source, made = folder / "program.c", folder / "program"
        source.write_text(text)
        command = [*self.compiler, *self.flags, str(source), "-lm", "-o", str(made)]
        subprocess.run(command, check=True, capture_output=True, text=True)
        runner = [self.runner] if self.runner else []
        return subprocess.run(
            [*runner, str(made)], capture_output=True, text=True, timeout=_PATIENCE
        )


@functools.cache
def _version(compiler: tuple[str, ...]) -> str | None:
    try:
        done = subprocess.run([*compiler, "--version"], capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.partition("\n")[0] if done.returncode == 0 else None


def _with(name: str, instructions: str, *compilers: str) -> list[CpuMachine]:
    return [CpuMachine(f"{name}, {c}", instructions, (c,)) for c in compilers]


MACHINES = [
    *_with("AVX-512", "x86-64-v4", "gcc", "clang"),
    *_with("AVX2", "x86-64-v3", "gcc", "clang"),
    *_with("SSE4.2", "x86-64-v2", "gcc"),
    *_with("SSE2", "x86-64", "gcc", "clang"),
    CpuMachine(
        "NEON, zig, qemu",
        "aarch64",
        ZIG,
        ("-O2", "-target", "aarch64-linux-musl"),
        "qemu-aarch64-static",
    ),
    *(
        CpuMachine(f"{name}, {c}, sanitized", instructions, (c,), ("-O1", *_SANITIZERS))
        for name, instructions in (("AVX-512", "x86-64-v4"), ("AVX2", "x86-64-v3"))
        for c in ("gcc", "clang")
    ),
]
