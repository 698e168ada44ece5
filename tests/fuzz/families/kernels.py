"""The cache of compiled kernels."""

from __future__ import annotations

from pathlib import Path

from compiler.triton.compile.store import BinaryStore
from tests.support.small_binary import BINARY, KEY

from ..inputs import Sample, from_folder
from ..targets import Target, register


def _entries(room: Path) -> list[Sample]:
    BinaryStore(room / "store").save(KEY, BINARY)
    made = from_folder(room / "store", "store")
    return [Sample({f"store/{key}": value for key, value in made.files.items()}, "store")]


def _load(path: Path) -> object:
    """Damage is a miss, which the compiler mends: never another kernel."""
    found = BinaryStore(path).load(KEY)
    if found is None:
        raise LookupError("not there")
    return found


register(Target("kernel cache", _entries, _load, "bytes", sealed=True, clean=(LookupError,)))
