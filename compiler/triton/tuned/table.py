"""Measured choices in a file, which can be shipped."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from compiler.options import CompileOptions
from compiler.target import Target
from ir.errors import RoasteryError
from ir.printable import printable
from roastery.files.atomic_file import atomic_write
from roastery.files.missing import cannot_read
from roastery.files.regular_file import open_regular

from .entry import TunedEntry

FORMAT = "roastery tuned kernels"
VERSION = 1
_LARGEST = 64 << 20
_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class TunedTable:
    """``target``: the device that was measured, ``driver`` the CUDA version of its driver."""

    target: Target
    driver: str
    entries: Mapping[str, TunedEntry]

    def find(self, key: str) -> TunedEntry | None:
        return self.entries.get(key)

    def write(self, path: str | os.PathLike[str]) -> None:
        """A file that appears whole. Raises RoasteryError where it cannot be written."""
        document = {
            "format": FORMAT,
            "version": VERSION,
            "driver": self.driver,
            "target": asdict(self.target),
            "entries": {key: entry.json() for key, entry in sorted(self.entries.items())},
        }
        with atomic_write(path, "w") as file:
            file.write(json.dumps(document, indent=1) + "\n")


def read_table(path: str | os.PathLike[str]) -> TunedTable:
    """A table that was written. Raises RoasteryError for any other file."""
    name = printable(os.fspath(path))
    hint = "`roastery tune NET --output FILE` writes such files"
    try:
        with open_regular(path) as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise cannot_read("table", path, error, hint=hint) from None
    if len(data) > _LARGEST:
        raise RoasteryError(f"{name} is larger than {_LARGEST >> 20} MiB", hint=hint)
    try:
        document: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RoasteryError(f"{name} is no table of tuned kernels: {error}", hint=hint) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise RoasteryError(f"{name} is no table of tuned kernels", hint=hint)
    if document.get("version") != VERSION:
        raise RoasteryError(
            f"{name} has version {printable(str(document.get('version')))[:20]} of tables of tuned "
            f"kernels, this program reads version {VERSION}",
            hint="tune again, with `roastery tune NET --output FILE`",
        )
    try:
        return _table(document)
    except ValueError as error:
        reason = printable(str(error))
        raise RoasteryError(f"{name} is damaged: {reason}", hint=hint) from None


def _table(document: dict[str, Any]) -> TunedTable:
    """Raises ValueError."""
    entries, driver = document.get("entries"), document.get("driver")
    if not isinstance(entries, dict) or not isinstance(driver, str):
        raise ValueError("it has no entries or no driver")
    found = {}
    for key, entry in entries.items():
        if _KEY.fullmatch(key) is None:
            raise ValueError(f"{key[:40]!r} is no key")
        found[key] = TunedEntry.from_json(entry, f"entry {key[:8]}")
    options = CompileOptions.from_json({"target": document.get("target")})
    return TunedTable(replace(options.target, kind="cuda"), driver[:40], found)
