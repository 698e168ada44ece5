"""What commands return, as plain tuples that a MEX file turns into MATLAB's values.

A result is a tuple whose first item says what it is. Texts are UTF-8; bytes that are none stay as
they came. Arrays are float32 and go without a copy: sizes with the fastest first, and an address
that is good as long as the tuple is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

Result = tuple[Any, ...]

NOTHING: Result = (b"nothing",)


def utf8(text: str) -> bytes:
    """The text's bytes; a NUL would end it early."""
    return text.encode("utf-8", "surrogateescape").replace(b"\0", b"?")


def mx_number(value: float) -> Result:
    """A double."""
    return b"number", float(value)


def mx_text(value: str) -> Result:
    """A row of characters."""
    return b"text", utf8(value)


def mx_row(values: Iterable[float]) -> Result:
    """A row of doubles."""
    return b"row", tuple(map(float, values))


def mx_column(values: Iterable[float]) -> Result:
    """A column of doubles."""
    return b"column", tuple(map(float, values))


def mx_cells(values: Iterable[Result]) -> Result:
    """A cell array, one column."""
    return b"cells", tuple(values)


def mx_handles(key: float, numbers: Iterable[int]) -> Result:
    """A column of structs with ``ptr`` and ``init_key``."""
    return b"handles", key, tuple(numbers)


def mx_record(fields: Mapping[str, Result]) -> Result:
    """A struct."""
    return b"record", tuple((utf8(name), value) for name, value in fields.items())


def mx_single(array: np.ndarray) -> Result:
    """An array of singles, its axes in reverse: the last of ours is MATLAB's first."""
    lent = np.ascontiguousarray(array, np.float32)
    return b"single", sizes(lent.shape), lent.ctypes.data, lent


def sizes(shape: Sequence[int]) -> tuple[int, ...]:
    """A shape as MATLAB has it: in reverse, of two axes at least."""
    reverse = tuple(shape[::-1])
    return reverse + (1,) * (2 - len(reverse))
