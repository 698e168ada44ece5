"""A LevelDB as one ordered sequence of records: logs and tables merged, the newest first."""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import TypeAlias

from .batch import LoggedValue, Sequence, logged_writes
from .damage import LevelError
from .manifest import LEVELS, Manifest, TableEntry, read_manifest
from .open_file import OpenFile
from .table import DistantValue, StoredValue, Table

Value: TypeAlias = LoggedValue | StoredValue | DistantValue
_Run: TypeAlias = Iterator[tuple[bytes, int, Value | None]]  # keys, minus their tags, values
_Entry: TypeAlias = tuple[bytes, int, int, Value | None]  # key, minus its tag, run, value

_LOG = re.compile(r"([0-9]+)\.log")
_CHECKED_BYTES = 1 << 26
"""Tables up to this size in all are checked as a whole when the database is opened."""


@dataclass(slots=True)
class LevelRecord:
    """A key, and its value once it is asked for, on any thread."""

    key: bytes
    value: Value

    def read(self) -> bytes:
        """The value's bytes."""
        return self.value.read()


class LevelReader:
    """The files of a LevelDB, opened for reading; they are left as they are, to the byte.

    Logs are read and checked when the database is opened, tables as they are reached
    (small ones at once). What another process writes later is not seen. Raises LevelError
    for files that are missing or not whole, OSError for those that may not be read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._logs: list[OpenFile] = []
        try:
            self._manifest = read_manifest(folder)
            self._paths = {
                entry.number: self._table_path(entry)
                for level in range(LEVELS)
                for entry in self._manifest.level(level)
            }
            self._recent = self._read_logs(self._manifest)
            self._check_small_tables()
        except BaseException:
            self.close()
            raise

    @property
    def logged_bytes(self) -> int:
        """How much lies in write-ahead logs: what was written since tables were made."""
        return sum(log.size for log in self._logs)

    def records(self, start: bytes | None = None) -> Iterator[LevelRecord]:
        """Records in key order, from the first key that is not below ``start``."""
        runs: list[_Run] = [self._recent_run(start)] if self._recent else []
        runs += [self._tables_run([entry], start) for entry in self._manifest.level(0)]
        for level in range(1, LEVELS):
            if entries := self._manifest.level(level):
                runs.append(self._tables_run(entries, start))
        numbered = [_numbered(run, number) for number, run in enumerate(runs)]
        before: bytes | None = None
        for key, _, _, value in numbered[0] if len(numbered) == 1 else merge(*numbered):
            if key == before:
                continue  # an older write to the same key
            before = key
            if value is not None:
                yield LevelRecord(key, value)

    def kept_records(self) -> list[LevelRecord]:
        """All records in key order, without the blocks that their values lie in."""
        return [
            LevelRecord(record.key, value.distant() if isinstance(value, StoredValue) else value)
            for record in self.records()
            for value in (record.value,)
        ]

    def close(self) -> None:
        """Close the files; records that lie in logs can no longer be read."""
        for log in self._logs:
            log.close()

    def _table_path(self, entry: TableEntry) -> Path:
        for ending in ("ldb", "sst"):
            path = self._folder / f"{entry.number:06d}.{ending}"
            try:
                size = os.stat(path).st_size
            except FileNotFoundError:
                continue
            if size != entry.size:
                raise LevelError(
                    f"{path.name} has {size} bytes; {self._manifest.path.name} says {entry.size}"
                )
            return path
        raise LevelError(
            f"{entry.number:06d}.ldb is missing; {self._manifest.path.name} says that it has "
            f"{entry.size} bytes"
        )

    def _read_logs(self, manifest: Manifest) -> list[tuple[bytes, int, Value | None]]:
        """The writes of the logs that count, sorted as a table is; each key's newest alone."""
        found = {
            int(match[1]): name
            for name in os.listdir(self._folder)
            if (match := _LOG.fullmatch(name))
        }
        for number in {manifest.log_number, manifest.previous_log} - {0}:
            if number not in found:
                raise LevelError(
                    f"the log {number:06d}.log is missing; {manifest.path.name} names it "
                    "(it may have been empty; then an empty file stands in for it)"
                )
        newest: dict[bytes, tuple[int, LoggedValue | None]] = {}
        sequence = Sequence(manifest.last_sequence)
        for number in sorted(found):
            if number < manifest.log_number and number != manifest.previous_log:
                continue  # its writes are in tables
            log = OpenFile(self._folder / found[number])
            self._logs.append(log)
            for write in logged_writes(log, sequence):
                newest[write.key] = (write.tag, write.value)
        if sequence.last is not None and sequence.last < manifest.last_sequence:
            raise LevelError(
                f"{self._logs[-1].path.name} is cut off: it ends with write number "
                f"{sequence.last}; {manifest.path.name} knows of {manifest.last_sequence}"
            )
        return sorted((key, -tag, value) for key, (tag, value) in newest.items())

    def _check_small_tables(self) -> None:
        entries = [entry for level in self._manifest.levels for entry in level.values()]
        if sum(entry.size for entry in entries) > _CHECKED_BYTES:
            return
        for entry in entries:
            table = self._open(entry)
            table.check()
            table.close()

    def _open(self, entry: TableEntry) -> Table:
        file = OpenFile(self._paths[entry.number])
        if file.size != entry.size:
            raise LevelError(f"{file.path.name} was changed while the database was read")
        return Table(file, entry, self._manifest.last_sequence)

    def _recent_run(self, start: bytes | None) -> _Run:
        first = 0 if start is None else bisect_left(self._recent, start, key=itemgetter(0))
        return islice(self._recent, first, None)

    def _tables_run(self, entries: list[TableEntry], start: bytes | None) -> _Run:
        """Tables whose keys do not overlap, one after the other; one is open at a time."""
        for entry in entries:
            if start is not None and entry.largest[0] < start:
                continue
            table = self._open(entry)
            try:
                yield from table.entries(start)
            finally:
                table.close()


def _numbered(run: _Run, number: int) -> Iterator[_Entry]:
    """Entries that compare by key, by age, and never by their values."""
    for key, tag, value in run:
        yield key, tag, number, value
