"""Measured choices on disk, in the cache folder: a file for each, in a folder for each device and
driver.

What is wrong with a file (cut off, flipped bits, another version) makes it as if it were not there,
and is told once. Those written longest ago are removed where all take more than ``MOST_BYTES``.
"""

from __future__ import annotations

import hashlib
import json
import logging
from functools import cached_property
from pathlib import Path
from typing import Any

from compiler.target import Target
from roastery.files.cache_folder import PrivateFolder, cache_folder

from .entry import TunedEntry
from .table import VERSION, TunedTable

_LOGGER = logging.getLogger("roastery.cache")
MOST_BYTES = 16 << 20
_DIGEST = hashlib.sha256().digest_size


class TunedStore:
    """Of a device.

    Args:
        target: the device. driver: the CUDA version of its driver.
        folder: for all devices; by default a part of the cache folder.
    """

    def __init__(self, target: Target, driver: str, folder: Path | None = None) -> None:
        self._target = target
        self._driver = driver
        deciding = json.dumps([target.name, target.capability, target.processors, driver])
        name = hashlib.sha256(deciding.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        if folder is None:
            around = [cache_folder(), cache_folder() / "tuned"]
            self._private = PrivateFolder(cache_folder() / "tuned" / name, around)
        else:
            self._private = PrivateFolder(folder / name, [folder])

    @cached_property
    def _entries(self) -> dict[str, TunedEntry]:
        """All that are there, read once."""
        found: dict[str, TunedEntry] = {}
        damaged = None
        for name in self._private.names():
            entry = self._read(name)
            if entry is None:
                damaged = name
            else:
                found[name] = entry
        if damaged is not None:
            path = self._private.folder / damaged
            _LOGGER.warning("a tuned choice is damaged, and is not used: %s", path)
        return found

    def _read(self, name: str) -> TunedEntry | None:
        data = self._private.read(name) or b""
        if hashlib.sha256(name.encode() + data[_DIGEST:]).digest() != data[:_DIGEST]:
            return None
        try:
            document: Any = json.loads(data[_DIGEST:])
            if document["version"] != VERSION:
                return None
            return TunedEntry.from_json(document["entry"], "entry")
        except (ValueError, KeyError, TypeError, RecursionError):
            return None

    def find(self, key: str) -> TunedEntry | None:
        """What was measured of a group."""
        return self._entries.get(key)

    def look_again(self, key: str) -> bool:
        """Whether another process has kept something of a group since this one looked."""
        if key not in self._entries and (entry := self._read(key)) is not None:
            self._entries[key] = entry
            return True
        return False

    def digest(self) -> str:
        """Of all that was measured; empty where nothing was."""
        if not self._entries:
            return ""
        found = sorted((key, entry.json()) for key, entry in self._entries.items())
        return hashlib.sha256(json.dumps(found).encode()).hexdigest()

    def save(self, key: str, entry: TunedEntry) -> None:
        """Keep what was measured. A folder that cannot be written costs measuring again later,
        nothing else."""
        document = json.dumps({"version": VERSION, "entry": entry.json()}).encode()
        self._entries[key] = entry
        if self._private.write(key, hashlib.sha256(key.encode() + document).digest() + document):
            self._private.remove_oldest(".", MOST_BYTES)

    @property
    def table(self) -> TunedTable:
        """All of it."""
        return TunedTable(self._target, self._driver, dict(self._entries))
