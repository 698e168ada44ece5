"""What a GPU says of itself."""

from __future__ import annotations

from dataclasses import dataclass

# CUdevice_attribute.
ATTRIBUTES = {
    "threads_per_block": 1,
    "block_x": 2,
    "block_y": 3,
    "block_z": 4,
    "grid_x": 5,
    "grid_y": 6,
    "grid_z": 7,
    "shared_memory": 8,  # bytes per block, without asking
    "constant_memory": 9,
    "warp_size": 10,
    "pitch": 11,
    "registers": 12,  # per block
    "clock_rate": 13,  # kHz
    "texture_alignment": 14,
    "overlap": 15,
    "multiprocessors": 16,
    "timeout": 17,
    "memory_clock_rate": 36,  # kHz
    "memory_bus_width": 37,  # bits
    "l2_cache": 38,  # bytes
    "threads_of_multiprocessor": 39,  # at the same time
    "major": 75,
    "minor": 76,
    "shared_memory_of_multiprocessor": 81,  # bytes, at most
    "registers_of_multiprocessor": 82,
    "shared_memory_optin": 97,  # bytes per block, for kernels that ask
    "blocks_of_multiprocessor": 106,  # at the same time
    "shared_memory_reserved": 111,  # bytes per block, for the driver itself
}


@dataclass(frozen=True, slots=True)
class DeviceProperties:
    """One GPU. ``memory`` in bytes; ``attributes`` by the names of :data:`ATTRIBUTES`."""

    index: int
    name: str
    memory: int
    attributes: dict[str, int]

    @property
    def capability(self) -> int:
        """Compute capability as 10 * major + minor: 90 is sm_90."""
        return 10 * self.attributes["major"] + self.attributes["minor"]
