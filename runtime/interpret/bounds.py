"""Watching every load and store of an interpreted kernel.

A mask that is wrong by one passes most comparisons, as long as the memory around a buffer
is there. Here each address must lie in a buffer that the launch was given, and each store
in one that it says it writes; and no program may use what another one of the launch writes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .races import Races


class BoundsError(Exception):
    """A kernel touched memory that is not its own."""


@dataclass(frozen=True, slots=True)
class Extent:
    """The memory behind a pointer parameter: addresses from ``start``, below ``end``."""

    name: str
    start: int
    end: int
    written: bool


@contextlib.contextmanager
def watched(extents: Sequence[Extent]) -> Iterator[None]:
    """Check the interpreter's loads and stores inside of the block."""
    from triton.runtime.interpreter import interpreter_builder as builder

    load, store = builder.create_masked_load, builder.create_masked_store
    written = [extent for extent in extents if extent.written]
    races = Races((extent.start, extent.end) for extent in written)

    def checked_load(pointers: Any, mask: Any, *rest: Any) -> Any:
        addresses, size = _active(pointers, mask)
        _check("load", addresses, size, extents)
        races.load(builder.grid_idx, addresses, size)
        return load(pointers, mask, *rest)

    def checked_store(pointers: Any, value: Any, mask: Any, *rest: Any) -> Any:
        addresses, size = _active(pointers, mask)
        _check("store", addresses, size, written)
        races.store(builder.grid_idx, addresses, size)
        return store(pointers, value, mask, *rest)

    builder.create_masked_load, builder.create_masked_store = checked_load, checked_store
    try:
        yield
    finally:
        del builder.create_masked_load, builder.create_masked_store  # the class's come back


def _active(pointers: Any, mask: Any) -> tuple[np.ndarray, int]:
    """The addresses that are used, and bytes of each element there."""
    addresses, inside = np.broadcast_arrays(pointers.data, mask.data)
    return addresses[inside], max(pointers.get_element_ty().primitive_bitwidth // 8, 1)


def _check(what: str, addresses: np.ndarray, size: int, extents: Sequence[Extent]) -> None:
    if not addresses.size:
        return
    sound = np.zeros(addresses.shape, bool)
    for extent in extents:
        sound |= (addresses >= extent.start) & (addresses <= max(extent.end - size, 0))
        if sound.all():
            return
    bad = int(addresses[~sound][0])
    near = min(extents, key=lambda e: max(e.start - bad, bad - e.end), default=None)
    place = f"{(bad - near.start) // size} of {near.name}" if near else "any element"
    room = f", which has {(near.end - near.start) // size}" if near else ": it writes nothing"
    raise BoundsError(
        f"{np.count_nonzero(~sound)} of {sound.size} addresses of a {what} are outside: "
        f"the first is element {place}{room}"
    )
