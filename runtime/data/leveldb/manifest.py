"""CURRENT and the manifest it names: which tables and logs make up the database."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from .damage import LevelError, damaged
from .log import whole_records
from .numbers import read_number, split_key
from .open_file import OpenFile

COMPARATOR = b"leveldb.BytewiseComparator"
LEVELS = 7
_CURRENT = re.compile(rb"MANIFEST-[0-9]{6,20}\n")
(
    _COMPARATOR,
    _LOG_NUMBER,
    _NEXT_FILE,
    _LAST_SEQUENCE,
    _COMPACT_POINTER,
    _DELETED_FILE,
    _NEW_FILE,
) = range(1, 8)
_PREVIOUS_LOG = 9
_NUMBERS = {
    _LOG_NUMBER: "the number of its log",
    _NEXT_FILE: "the next number of a file",
    _LAST_SEQUENCE: "the number of the last write",
}


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A table of the manifest: its number, its bytes, its first and last stored key."""

    number: int
    size: int
    smallest: tuple[bytes, int]
    largest: tuple[bytes, int]


@dataclass(slots=True)
class Manifest:
    """What the manifest says in the end: tables by level and number, and plain numbers by tag."""

    path: Path
    comparator: bytes = b""
    numbers: dict[int, int] = field(default_factory=dict)
    levels: list[dict[int, TableEntry]] = field(default_factory=lambda: [{} for _ in range(LEVELS)])

    @property
    def log_number(self) -> int:
        """Logs from this number on count; 0: all."""
        return self.numbers[_LOG_NUMBER]

    @property
    def previous_log(self) -> int:
        """One more log that counts; 0: none."""
        return self.numbers.get(_PREVIOUS_LOG, 0)

    @property
    def last_sequence(self) -> int:
        """Number of the last write when the manifest was written."""
        return self.numbers[_LAST_SEQUENCE]

    def level(self, number: int) -> list[TableEntry]:
        """A level's tables by their first keys."""
        return sorted(self.levels[number].values(), key=lambda table: _order(table.smallest))


def read_manifest(folder: Path) -> Manifest:
    """Read CURRENT and the manifest. Raises LevelError for what is missing or not whole."""
    manifest = Manifest(folder / _current_name(folder))
    try:
        file = OpenFile(manifest.path)
    except FileNotFoundError:
        raise LevelError(f"CURRENT names {manifest.path.name}, which does not exist") from None
    try:
        for offset, record in whole_records(file):
            try:
                _apply(manifest, record)
            except LevelError as error:
                raise damaged(manifest.path, offset, str(error)) from error
    finally:
        file.close()
    _check(manifest)
    return manifest


def _current_name(folder: Path) -> str:
    file = OpenFile(folder / "CURRENT")
    try:
        if file.size > 64:
            raise LevelError(f"CURRENT has {file.size} bytes, and names no manifest")
        text = file.read(0, file.size)
    finally:
        file.close()
    if not _CURRENT.fullmatch(text):
        raise LevelError(f"CURRENT holds {text!r}; 'MANIFEST-' and a number on a line was expected")
    return os.fsdecode(text[:-1])


def _apply(manifest: Manifest, record: bytes) -> None:
    """Bring one version edit into the manifest: it takes tables away before it adds others."""
    at, end = 0, len(record)
    gone: list[tuple[int, int]] = []
    new: list[tuple[int, TableEntry]] = []
    while at < end:
        tag, at = read_number(record, at, end, 32)
        if tag == _COMPARATOR:
            manifest.comparator, at = _text(record, at)
        elif tag in _NUMBERS or tag == _PREVIOUS_LOG:
            manifest.numbers[tag], at = read_number(record, at, end)
        elif tag == _COMPACT_POINTER:
            _, at = _level(record, at)
            _, at = _text(record, at)
        elif tag == _DELETED_FILE:
            level, at = _level(record, at)
            number, at = read_number(record, at, end)
            gone.append((level, number))
        elif tag == _NEW_FILE:
            level, at = _level(record, at)
            number, at = read_number(record, at, end)
            size, at = read_number(record, at, end)
            smallest, at = _text(record, at)
            largest, at = _text(record, at)
            new.append((level, TableEntry(number, size, split_key(smallest), split_key(largest))))
        else:
            raise LevelError(f"an entry of kind {tag} is not known")
    for level, number in gone:
        if manifest.levels[level].pop(number, None) is None:
            raise LevelError(f"table {number} leaves level {level}, where it never was")
    for level, table in new:
        if any(table.number in tables for tables in manifest.levels):
            raise LevelError(f"table {table.number} is added twice")
        manifest.levels[level][table.number] = table


def _level(record: bytes, at: int) -> tuple[int, int]:
    level, at = read_number(record, at, len(record), 32)
    if level >= LEVELS:
        raise LevelError(f"level {level}; there are {LEVELS}")
    return level, at


def _text(record: bytes, at: int) -> tuple[bytes, int]:
    size, at = read_number(record, at, len(record), 32)
    if at + size > len(record):
        raise LevelError(f"a text of {size} bytes reaches beyond its record")
    return record[at : at + size], at + size


def _check(manifest: Manifest) -> None:
    for tag, name in _NUMBERS.items():
        if tag not in manifest.numbers:
            raise LevelError(f"{manifest.path.name} is cut off: it does not say {name}")
    if manifest.comparator != COMPARATOR:
        name = manifest.comparator.decode("utf-8", "backslashreplace")
        raise LevelError(f"its keys are ordered by '{name}'; '{COMPARATOR.decode()}' can be read")
    for number in range(LEVELS):
        before: TableEntry | None = None
        for table in manifest.level(number):
            if table.number >= manifest.numbers[_NEXT_FILE]:
                raise LevelError(f"{manifest.path.name} names table {table.number} too early")
            if _order(table.smallest) > _order(table.largest):
                raise LevelError(
                    f"{manifest.path.name}: table {table.number} ends before it begins"
                )
            if number and before and _order(before.largest) >= _order(table.smallest):
                raise LevelError(
                    f"{manifest.path.name}: tables {before.number} and {table.number} of level "
                    f"{number} overlap"
                )
            before = table


def _order(key: tuple[bytes, int]) -> tuple[bytes, int]:
    return key[0], -key[1]
