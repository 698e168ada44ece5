"""Diffs of parameters in buckets: slices of the store's groups that are reduced at once.

The order of the buckets is that in which backward completes them, roughly: from the net's last
layers to its first. It follows from the net alone, not from plans, which may differ between
machines: all ranks have to reduce the same buckets in the same order. (Li et al., "PyTorch
Distributed: Experiences on Accelerating Data Parallel Training", 2020, section 3.2.3.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ir.types import TensorType

from ..memory.buffers import Buffer
from ..memory.store import Store

_LEAST, _MOST = 256 << 10, 8 << 20
"""Bytes of a bucket: so many that what a message costs by itself does not count; so few that links
have work long before backward ends."""

_WORTH = 8
"""A bucket with less than such a share of what it may have goes with the next parameter."""

_SHARES = 16
"""Of all bytes: a small net's last bucket, for which everybody waits, is small, too."""


@dataclass(frozen=True)
class Bucket:
    """Diffs that lie together.

    Attributes:
        names: of their variables. diffs: all of them as one tensor.
    """

    names: tuple[str, ...]
    diffs: Buffer

    @property
    def nbytes(self) -> int:
        return self.diffs.type.nbytes


def buckets_of(store: Store, limit: int | None = None) -> list[Bucket]:
    """All diffs that updates read, in the order in which they are reduced.

    Args:
        limit: bytes of a bucket that holds more than one parameter; by default a share of all.
    """
    if limit is None:
        limit = min(max(_LEAST, store.flat_diff.type.nbytes // _SHARES), _MOST)
    place = {name: number for number, name in enumerate(store.variables)}
    found = [*_of_groups(store, limit), *_apart(store)]
    return sorted(found, key=lambda bucket: -min(place[name] for name in bucket.names))


def _of_groups(store: Store, limit: int) -> Iterator[Bucket]:
    for group in store.groups:
        for names in _runs(store, group.variables, limit):
            first, last = store.diff[names[0]], store.diff[names[-1]]
            size = last.start + last.capacity - first.start
            yield Bucket(tuple(names), Buffer(TensorType((size,)), first.memory, first.start))


def _runs(store: Store, names: Sequence[str], limit: int) -> Iterable[list[str]]:
    """Parameters that learn and lie side by side, from the last one to the first."""
    runs: list[list[str]] = []
    used = room = 0
    for name in reversed(names):
        if not store.variables[name].learns:
            used = room = 0
            continue
        nbytes = store.diff[name].capacity * 4
        # A few biases go with the weights that follow, however large.
        if nbytes > room and not 0 < used <= limit // _WORTH:
            runs.append([])
            used, room = 0, limit
        runs[-1].insert(0, name)
        used, room = used + nbytes, room - nbytes
    return runs


def _apart(store: Store) -> Iterator[Bucket]:
    """Of parameters whose data is another store's: their diffs lie by themselves."""
    for name in store.shared:
        if name in store.diff and store.variables[name].learns:
            diff = store.diff[name]
            flat = diff.view(TensorType((diff.capacity,)))
            yield Bucket((name,), flat)
