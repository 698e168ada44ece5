"""What kernels without products are made of: instructions for each element, and their accesses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from compiler.compiled import CompiledGraph
from compiler.kernel import Config, Launch
from compiler.options import CompileOptions
from compiler.triton.compile import compile_jobs, jobs_of
from compiler.triton.compile.disassembly import Instruction, disassembled
from compiler.triton.compile.hot_loop import MachineLoop
from compiler.triton.compile.store import BinaryStore


@dataclass(frozen=True)
class Elements:
    """A kernel in machine code. ``each``: instructions that a thread runs for each element of its
    program's tile, where the tile is inside and loops are run through once."""

    launch: Launch
    code: MachineLoop
    each: float
    registers: int
    spilled: int

    def __str__(self) -> str:
        accesses = ", ".join(f"{n} {k} of {b}" for (k, b), n in self.code.accesses.items())
        return f"{self.launch.label}: {self.each:.1f} for an element; {accesses}"


def elements(
    compiled: CompiledGraph, options: CompileOptions, store: BinaryStore | None = None
) -> Iterator[Elements]:
    """Of all kernels of a GPU that multiply no matrices, each once."""
    architecture = options.target.architecture
    launches = [launch for launch in compiled.launches if "dot" not in launch.kernel.source]
    jobs = jobs_of(launches, architecture)
    first = {(launch.kernel, launch.config): launch for launch in reversed(launches)}
    for job, binary in zip(jobs, compile_jobs(jobs, store=store), strict=True):
        code = disassembled(binary.cubin)
        found = shortest(code) * 32 * job.config.num_warps / tile_size(job.config)
        used = binary.resources
        launch = first[job.kernel, job.config]
        yield Elements(launch, MachineLoop(tuple(code)), found, used.registers, used.local)


def tile_size(config: Config) -> int:
    """Elements of a program."""
    return math.prod(size for name, size in config.constants if name in ("BLOCK", "A", "B"))


def shortest(code: Sequence[Instruction]) -> int:
    """Instructions on the shortest way from the first to the end: what exists asks for nothing."""
    ways = [math.inf] * len(code)
    changed = True
    while changed:
        changed = False
        for place in reversed(range(len(code))):
            least = 1 + min((ways[n] for n in _after(code, place)), default=math.inf)
            if code[place].name in ("EXIT", "RET") and not code[place].guard:
                least = 1
            if least < ways[place]:
                ways[place], changed = least, True
    return int(ways[0])


def _after(code: Sequence[Instruction], place: int) -> Iterator[int]:
    instruction = code[place]
    if instruction.target is not None:
        yield instruction.target
    if instruction.falls_through and place + 1 < len(code):
        yield place + 1
