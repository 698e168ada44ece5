"""Whole numbers that are in a range: places in a table, the first elements of rows."""

from __future__ import annotations

import numpy as np

from ir.graph import Value

from .writer import Writer


def is_inside(writer: Writer, name: str, count: str) -> str:
    """Whether whole numbers are in 0..count-1."""
    least = writer.node("GreaterOrEqual", [name, writer.constant(np.int32(0))])
    return writer.node("And", [least, writer.node("Less", [name, count])])


def first_of_rows(writer: Writer, length: int, counts: Value) -> tuple[str, str]:
    """The numbers of elements [1, length], and which are among the first so many of each row."""
    number = writer.reshape(writer.arange(length), (1, length))
    most = writer.reshape(writer.of(counts), (counts.shape[0], 1))
    return number, writer.node("Less", [number, most])
