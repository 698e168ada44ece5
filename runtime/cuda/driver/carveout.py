"""How much of a multiprocessor's fast memory is to be shared memory while a kernel runs.

The rest is its first-level cache. Source: CUDA C++ Programming Guide, "Shared Memory" of compute
capabilities 8.x and 9.0; registers are allocated by 256 for each warp ("Technical Specifications").
"""

from __future__ import annotations

from collections.abc import Mapping

_WARP = 32
_REGISTERS = 256  # a warp's are a multiple of it


def carveout(attributes: Mapping[str, int], shared: int, threads: int, registers: int) -> int:
    """Percent of what there can be, for as many blocks as threads and registers leave room for.

    Args:
        attributes: of the device, by the names of :data:`.properties.ATTRIBUTES`.
        shared: bytes of a block. threads: of a block. registers: of a thread.
    """
    warps = -(-threads // _WARP)
    of_a_warp = -(-max(registers, 1) * _WARP // _REGISTERS) * _REGISTERS
    blocks = min(
        attributes["blocks_of_multiprocessor"],
        attributes["threads_of_multiprocessor"] // (warps * _WARP),
        attributes["registers_of_multiprocessor"] // (warps * of_a_warp),
    )
    wanted = max(blocks, 1) * (shared + attributes["shared_memory_reserved"])
    most = max(attributes["shared_memory_of_multiprocessor"], 1)
    return min(100, -(-100 * wanted // most))
