"""What the loop of a kernel that multiplies has to be made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from compiler.binary import Binary
from compiler.kernel import Config
from compiler.precision import IEEE, TF32
from compiler.triton.compile.disassembly import disassembled
from compiler.triton.compile.hot_loop import MachineLoop, hot_loop

from .layers import WEIGHTS

WIDE = 16  # bytes that one thread's access moves
MOST_PER_WGMMA = 45
SLACK = 32  # bytes of stack outside the loop: assemblers spill a few registers of a prologue


@dataclass(frozen=True)
class Found:
    """A kernel's loop. ``way``: forward or which gradient."""

    way: str
    precision: str
    config: Config
    binary: Binary
    loop: MachineLoop

    @staticmethod
    def of(way: str, precision: str, config: Config, binary: Binary, triton: Path | None) -> Found:
        """``triton``: a folder with the one to take nvdisasm from; None: the installed one."""
        return Found(way, precision, config, binary, hot_loop(disassembled(binary.cubin, triton)))

    def cells(self) -> tuple[str, ...]:
        """Of a table's row, the last empty where nothing is wrong."""
        tile = "x".join(str(self.config[side]) for side in "MNK")
        warps = f"{self.config.num_warps}, {self.config.num_stages}"
        registers = str(self.binary.resources.registers)
        ratio = f"{self.loop.per_product:.1f}"
        return (self.way, tile, warps, registers, str(self.loop), ratio, "; ".join(self.faults()))

    @property
    def units(self) -> tuple[str, ...]:
        """The instructions that it may multiply with."""
        if self.precision == IEEE:
            return ("fma",)
        if self.binary.architecture.capability < 90:
            return ("mma",)
        # wgmma reads tf32 with the depth contiguous only, which it is in no factor of a gradient of
        # weights: an H200 took less time with mma, which reads registers.
        return ("wgmma", "mma") if (self.precision, self.way) == (TF32, WEIGHTS) else ("wgmma",)

    def faults(self) -> Iterator[str]:
        """What is not as it should be."""
        loop, used = self.loop, self.binary.resources
        if loop.products not in self.units:
            yield f"multiplies by {loop.products or 'nothing'}, not {' or '.join(self.units)}"
        for (kind, width), count in loop.accesses.items():
            if width != WIDE:
                yield f"{count} {kind} of {width} bytes"
        if not loop.accesses:
            yield "reads nothing"
        if loop.products == "wgmma" and loop.per_product > MOST_PER_WGMMA:
            yield f"{loop.per_product:.1f} instructions for each wgmma"
        if spills := loop.kinds["spill"]:
            yield f"{spills} registers spilled in the loop"
        if used.stack + used.local > SLACK:
            yield f"{used.stack + used.local} bytes spilled"
