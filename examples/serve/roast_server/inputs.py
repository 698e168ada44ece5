"""Whether arrays are what the net takes; one bad request must not spoil a batch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .engine import Arrays, Engine, Port
from .problems import Problem
from .rows import Rows, Sharing


@dataclass(frozen=True)
class Inputs:
    """``rows``: along the first axis; 1 where requests run alone."""

    arrays: Arrays
    rows: int


def most_numbers(engine: Engine, rows: Rows) -> int | None:
    """As many as the inputs of a request may hold, at the usual sizes; None: there is no limit."""
    most = 0
    for port in engine.inputs.values():
        count = math.prod(port.shape)
        if rows.sharing is not Sharing.ALONE:
            count = rows.most * math.prod(port.shape[1:])
        elif port.accepted and port.accepted[0] is None:
            return None
        most += count
    return most


def checked_inputs(
    arrays: Mapping[str, np.ndarray], engine: Engine, rows: Rows, any_size: bool
) -> Inputs:
    """In the net's types. Raises Problem."""
    for name in arrays:
        if name not in engine.inputs:
            raise _bad(engine, f"there is no input {name!r:.60}")
    taken = {}
    for name, port in engine.inputs.items():
        if name not in arrays:
            raise _bad(engine, f"input {name!r} is not given")
        taken[name] = _checked(engine, name, port, arrays[name], rows, any_size)
    if rows.sharing is Sharing.ALONE:
        return Inputs(taken, 1)
    counts = {len(array) for array in taken.values()}
    if len(counts) != 1:
        raise _bad(engine, f"the inputs have different numbers of rows: {sorted(counts)}")
    (count,) = counts
    if not 1 <= count <= rows.most:
        raise Problem(
            422, "rows", f"{count} rows were sent; 1 to {rows.most} run at once",
            "send several requests, or start the server with --max-batch",
        )  # fmt: skip
    return Inputs(taken, count)


def _checked(
    engine: Engine, name: str, port: Port, array: np.ndarray, rows: Rows, any_size: bool
) -> np.ndarray:
    if array.dtype.kind == "f" and port.dtype.kind in "iub":
        raise _bad(engine, f"input {name!r} holds {array.dtype}, the net takes {port.dtype}")
    alone = rows.sharing is Sharing.ALONE
    fits = array.ndim == len(port.shape)
    for axis, (size, usual) in enumerate(zip(array.shape, port.shape, strict=False)):
        if axis == 0 and not alone:
            continue
        free = port.accepted[axis] is None and (any_size or (alone and axis == 0))
        fits = fits and (size == usual or (free and size > 0))
    if not fits:
        wanted = ["rows" if not alone and i == 0 else n for i, n in enumerate(port.shape)]
        shown = ", ".join(map(str, wanted))
        raise _bad(engine, f"input {name!r} has shape {list(array.shape)}, not [{shown}]"[:300])
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(array, port.dtype)


def _bad(engine: Engine, error: str) -> Problem:
    names = ", ".join(f"{n} {list(port.shape)}" for n, port in engine.inputs.items())
    return Problem(422, "input", error, f"the net takes: {names}; see /info"[:500])
