"""What a multiprocessor of each generation does in a clock, and how much runs on it at once."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from compiler.precision import HALF, IEEE
from compiler.target import listed


@dataclass(frozen=True, slots=True)
class Processor:
    """One multiprocessor.

    Attributes:
        half, tf32: multiply-adds of its matrix units in a clock, of 16-bit and tf32 factors with
            sums in float32; 0 where it has none.
        fma: multiply-adds in float32, without matrix units.
        warps, blocks: that it holds. registers: of all its threads, 32 bits each.
        shared: bytes of shared memory, of all its blocks.
    """

    half: int
    tf32: int
    fma: int
    warps: int
    blocks: int
    shared: int
    registers: int = 1 << 16

    def multiply_adds(self, precision: str) -> int:
        """In a clock, of factors of a :class:`compiler.kernels.expressions.DotKind`'s precision;
        of the three products of ``tf32x3`` each is one."""
        if precision == HALF:
            return self.half or self.fma
        return self.fma if precision == IEEE or not self.tf32 else self.tf32


_KiB = 1 << 10

# Multiply-adds: NVIDIA's architecture whitepapers (Turing, Ampere GA100 and GA102, Ada, Hopper) and
# data sheets (Jetson AGX Orin, B200, RTX 5090), dense, divided by processors and boost clock. The
# rest: CUDA C++ Programming Guide, "Technical Specifications per Compute Capability".
_PROCESSORS = {
    75: Processor(512, 0, 64, 32, 16, 64 * _KiB),
    80: Processor(1024, 512, 64, 64, 32, 164 * _KiB),
    86: Processor(256, 128, 128, 48, 16, 100 * _KiB),
    87: Processor(1024, 512, 128, 48, 16, 164 * _KiB),
    89: Processor(256, 128, 128, 48, 24, 100 * _KiB),
    90: Processor(2048, 1024, 128, 64, 32, 228 * _KiB),
    100: Processor(4096, 2048, 128, 64, 32, 228 * _KiB),
    120: Processor(256, 128, 128, 48, 24, 100 * _KiB),
}


@functools.cache
def processor_of(capability: int) -> Processor:
    """Of a generation; of one that is not listed, the newest older one's."""
    return _PROCESSORS[listed(capability, _PROCESSORS)]
