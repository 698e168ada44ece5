"""What a device is, as far as the compiler decides by it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from .architecture import Architecture
from .image_layout import CHANNELS_LAST, ROW_MAJOR
from .precision import FLOAT32, IEEE

KiB, MiB = 1 << 10, 1 << 20


@dataclass(frozen=True, slots=True)
class Target:
    """A device. Sizes are in bytes, 0 where they are not known.

    Machine code depends on a GPU's :attr:`architecture` alone; the rest chooses tiles and splits.

    Attributes:
        name: for people.
        capability: of a GPU: 10 * major + minor; 0 for others.
        processors: how many programs run side by side at least: multiprocessors; threads of a CPU,
            on whose number no result depends.
        shared_memory: what one block of threads can have of it.
        vector: what one instruction loads or stores per thread; on a CPU the vector registers.
        l1_cache, l2_cache: on a CPU those that its first core has. On a GPU all
            processors share the second level, and shared memory lies in the first.
        precisions: those that it has instructions for.
        layout: in which order of memory it wants images and their weights
            (:mod:`compiler.image_layout`).
        instructions: of a CPU, for which code is made (:mod:`compiler.instructions`); none where
            numpy runs graphs.
        registers: vector registers of a CPU.
        clock: of a GPU's processors at work, in Hz.
        bandwidth: of its memory, in bytes a second.
    """

    kind: Literal["cuda", "cpu"]
    name: str = ""
    capability: int = 0
    processors: int = 1
    shared_memory: int = 0
    vector: int = 16
    l1_cache: int = 0
    l2_cache: int = 0
    precisions: tuple[str, ...] = (FLOAT32, IEEE)
    layout: str = ROW_MAJOR
    instructions: str = ""
    registers: int = 0
    clock: float = 0.0
    bandwidth: float = 0.0

    def __str__(self) -> str:
        """As it is spelled for ``--target``."""
        return str(self.architecture) if self.kind == "cuda" else self.kind

    @property
    def runs_kernels(self) -> bool:
        """Whether graphs become kernels, not calls of numpy."""
        return self.kind == "cuda" or bool(self.instructions)

    @property
    def architecture(self) -> Architecture:
        """Of a GPU."""
        return Architecture(self.capability)


# Boost clocks, at which data sheets count what matrix units do, and bandwidths of the devices in
# _TYPICAL: NVIDIA's architecture whitepapers and data sheets.
_RATES = {
    75: (1.59e9, 0.320e12),
    80: (1.41e9, 1.555e12),
    86: (1.695e9, 0.936e12),
    87: (1.30e9, 0.205e12),
    89: (2.52e9, 1.008e12),
    90: (1.83e9, 3.35e12),
    100: (1.85e9, 8.0e12),
    120: (2.41e9, 1.792e12),
}


def gpu(
    name: str,
    capability: int,
    processors: int,
    shared_memory: int,
    l2_cache: int,
    bandwidth: float = 0.0,
) -> Target:
    """A GPU, by what its driver tells of it. What is 0 is that of a typical device; so is the
    clock, as drivers tell one that nothing keeps up."""
    clock, typical_bandwidth = _RATES[listed(capability, _RATES)]
    return Target(
        "cuda",
        name,
        capability,
        processors,
        shared_memory,
        vector=32 if capability >= 100 else 16,
        l2_cache=l2_cache,
        precisions=Architecture(capability).precisions,
        layout=CHANNELS_LAST,
        clock=clock,
        bandwidth=bandwidth or typical_bandwidth,
    )


def listed(capability: int, listed: Iterable[int]) -> int:
    """The newest generation that is no newer, else the oldest."""
    known = sorted(listed)
    return max((number for number in known if number <= capability), default=known[0])


GENERIC = gpu("any GPU", 80, 128, 99 * KiB, 4 * MiB)
"""A GPU of which nothing more is known: what kernels are printed for where there is none."""


# A typical device of each generation. Multiprocessors and second-level caches are those of
# NVIDIA's architecture whitepapers and data sheets; shared memory per block is in the CUDA
# Programming Guide, "Technical Specifications per Compute Capability"; loads of 32 bytes in the
# PTX ISA, "ld".
_TYPICAL = (
    gpu("Tesla T4", 75, 40, 64 * KiB, 4 * MiB),
    gpu("A100", 80, 108, 163 * KiB, 40 * MiB),
    gpu("GeForce RTX 3090", 86, 82, 99 * KiB, 6 * MiB),
    gpu("Jetson AGX Orin", 87, 16, 163 * KiB, 4 * MiB),
    gpu("GeForce RTX 4090", 89, 128, 99 * KiB, 72 * MiB),
    gpu("H100 SXM", 90, 132, 227 * KiB, 50 * MiB),
    gpu("B200", 100, 148, 227 * KiB, 126 * MiB),
    gpu("GeForce RTX 5090", 120, 170, 99 * KiB, 96 * MiB),
)


def typical(architecture: Architecture) -> Target:
    """A device of an architecture; of one that is not listed, like the newest older one."""
    capability = architecture.capability
    devices = {device.capability: device for device in _TYPICAL}
    like = devices[listed(capability, devices)]
    return like if like.capability == capability else replace(like, capability=capability)
