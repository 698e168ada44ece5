"""How requests share a run: joined along the first axis, and what comes out taken apart."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ir.errors import RoasteryError
from roastery.tools.objects.rows import are_rows

from .engine import Arrays, Engine

_PLANS = 8
"""A net stays planned for so many sizes."""


class Sharing(enum.Enum):
    ANY = "any number of rows"
    PADDED = "rows are filled up"
    ALONE = "each request runs alone"


@dataclass(frozen=True)
class Rows:
    """``sizes``: the numbers of rows that it runs with, rising; none where requests run alone.
    ``most``: rows of a batch, and of a request; one that runs alone counts as one."""

    sharing: Sharing
    sizes: tuple[int, ...]
    most: int

    def join(self, requests: Sequence[Arrays]) -> Arrays:
        """One after the other, then zeros up to a number of rows that is planned."""
        if self.sharing is Sharing.ALONE:
            (only,) = requests
            return only
        count = sum(len(next(iter(arrays.values()))) for arrays in requests)
        size = next(size for size in self.sizes if size >= count)
        if len(requests) == 1 and size == count:
            return requests[0]
        joined = {}
        for name, first in requests[0].items():
            joined[name] = np.zeros((size, *first.shape[1:]), first.dtype)
            np.concatenate([arrays[name] for arrays in requests], out=joined[name][:count])
        return joined

    def part(self, results: Arrays, start: int, count: int) -> dict[str, np.ndarray]:
        """Of a batch's results those of ``count`` rows from ``start`` on."""
        if self.sharing is Sharing.ALONE:
            return dict(results)
        return {name: _part(array, start, count) for name, array in results.items()}


def find_rows(engine: Engine, most: int) -> Rows:
    """What the net lets be shared. It is tried: rows must come out as they do alone.

    Where the rows of a batch see each other, or a net remembers what it was given, requests run
    alone.
    """
    if not engine.stateful:
        for rows in _candidates(engine, most):
            if _independent(engine, rows):
                return rows
    return Rows(Sharing.ALONE, (), 1)


def _candidates(engine: Engine, most: int) -> Iterator[Rows]:
    """The best first. Each of its sizes is planned now, not when the first request has it."""
    firsts = {(port.accepted[0], port.shape[0]) for port in engine.inputs.values() if port.shape}
    if len(firsts) != 1 or not all(port.shape for port in engine.inputs.values()):
        return
    ((accepted, usual),) = firsts
    if accepted is None:
        sizes = tuple(size for size in _ladder(most) if _runs(engine, size))
        if sizes and (usual == 1 or sizes != (usual,)):
            yield Rows(Sharing.ANY, sizes, sizes[-1])
    # A size that may change may still be tied to another, or to itself.
    if (accepted is not None or usual > 1) and _runs(engine, usual):
        yield Rows(Sharing.PADDED, (usual,), min(most, usual))


def _runs(engine: Engine, size: int) -> bool:
    try:
        engine.run(_drawn(engine, size))
    except RoasteryError:
        return False
    return True


def _drawn(engine: Engine, size: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = {name: (size, *port.shape[1:]) for name, port in engine.inputs.items()}
    return {
        name: rng.uniform(0, 1, shape).astype(engine.inputs[name].dtype)
        for name, shape in shapes.items()
    }


def _ladder(most: int) -> tuple[int, ...]:
    """At most as many numbers up to ``most`` as stay planned."""
    if most <= _PLANS:
        return tuple(range(1, most + 1))
    found = [most]
    while len(found) < _PLANS:
        found.append(found[-1] * 3 // 4 if len(found) % 2 else found[-1] * 2 // 3)
    return tuple(sorted({1, *(size for size in found[:-1] if size)}))


def _independent(engine: Engine, rows: Rows) -> bool:
    """Whether the last row of the largest batch comes out as it does with zeros beside it, or
    alone."""
    count = rows.sizes[-1]
    batch = _drawn(engine, count)
    together = engine.run(batch)
    if not all(are_rows(a.shape) or a.shape[:1] == (count,) for a in together.values()):
        return False
    last = {name: array[-1:] for name, array in batch.items()}
    alone = engine.run(rows.join([last]))
    return _alike(rows.part(together, count - 1, 1), rows.part(alone, 0, 1))


def _alike(some: Mapping[str, np.ndarray], others: Mapping[str, np.ndarray]) -> bool:
    for name, array in some.items():
        other = others[name]
        if array.shape != other.shape:
            return False
        if not np.allclose(array, other, rtol=1e-3, atol=1e-5, equal_nan=True):
            return False
    return True


def _part(array: np.ndarray, start: int, count: int) -> np.ndarray:
    if not are_rows(array.shape):
        return array[start : start + count]
    pictures = array[0, 0, :, 0]
    found = array[:, :, (pictures >= start) & (pictures < start + count)]
    found[..., 0] -= start
    return found
