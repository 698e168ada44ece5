"""One committed state of an LMDB, whose pages nobody changes while it is read."""

from __future__ import annotations

from dataclasses import dataclass

from .damage import LmdbError, damaged_page
from .file import LmdbFile
from .locks import EnvironmentLocks, HeldTransaction, LockError
from .meta import HEADER, Meta

_OVERFLOW = 4
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state of a file, and the place in the table of readers that keeps it, if there is one.

    Without that place a writer may use pages again; that is noticed, and an error.
    """

    file: LmdbFile
    meta: Meta
    held: HeldTransaction | None = None

    def read_bytes(self, offset: int, size: int) -> bytes:
        """Bytes as they were when this state was committed."""
        data = self.file.read_bytes(offset, size)
        # Pages of this state are free after the next transaction. The one after that leaves
        # them alone too: a writer uses what was free before its predecessor.
        if self.held is None and self.file.last_transaction() > self.meta.transaction + 1:
            raise LmdbError(
                "it was changed while it was read, where no reader's lock could be taken"
            )
        return data

    def read_run(self, page: int, size: int) -> bytes:
        """``size`` bytes from a run of overflow pages."""
        at = page * self.file.page_size
        number, _, flags, low, high = HEADER.unpack(self.read_bytes(at, HEADER.size))
        pages = low | high << 16
        if number != page or flags != _OVERFLOW:
            raise damaged_page(page, "it does not begin a large value")
        if pages * self.file.page_size < size + HEADER.size:
            raise damaged_page(page, f"its {pages} pages are too few for {size} bytes")
        return self.read_bytes(at + HEADER.size, size)


def take_snapshot(file: LmdbFile, locks: EnvironmentLocks | None) -> Snapshot:
    """The state that was committed last, held by ``locks`` if these are given.

    Raises LmdbError for a damaged file, LockError where the state cannot be held.
    """
    for _ in range(_TRIES):
        held = locks.begin() if locks is not None else None
        # Of one of the two a writer may be writing; then it is not twice the same.
        metas = [a for a, b in zip(file.metas(), file.metas(), strict=True) if a == b]
        if held is not None:  # two commits may have come between
            metas = [meta for meta in metas if meta.transaction == held.transaction]
        elif len(metas) < 2:
            continue
        if metas:
            newest = max(metas, key=lambda meta: meta.transaction)
            newest.check()
            return Snapshot(file, newest, held)
        if held is not None:
            held.end()
    if locks is not None:
        raise LockError("its lock file knows of another state than its data file")
    raise LmdbError("it is changed all the time")
