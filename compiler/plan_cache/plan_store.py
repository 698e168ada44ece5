"""Plans on disk, in the cache folder: each a file under its key, with a checksum.

What is wrong with a file makes it as if it were not there, and is told once. Those used longest
ago are removed where all take more than ``MOST_BYTES``.
"""

from __future__ import annotations

import hashlib
import logging
import zlib
from pathlib import Path

from roastery.files.cache_folder import PrivateFolder

_LOGGER = logging.getLogger("roastery.cache")
MOST_BYTES = 64 << 20
_LARGEST = 256 << 20
_DIGEST = hashlib.sha256().digest_size


class PlanStore:
    """A folder of plans, by default a part of the cache folder."""

    def __init__(self, folder: Path | None = None, most_bytes: int = MOST_BYTES) -> None:
        self._private = PrivateFolder.in_cache("plans") if folder is None else PrivateFolder(folder)
        self._most_bytes = most_bytes
        self._told = False

    def load(self, key: str) -> bytes | None:
        """What was saved; None where nothing sound is there."""
        data = self._private.read(key)
        if data is None:
            return None
        if hashlib.sha256(key.encode() + data[_DIGEST:]).digest() != data[:_DIGEST]:
            self.tell(key)
            return None
        self._private.touch(key)
        unpacked = zlib.decompressobj()
        return unpacked.decompress(data[_DIGEST:], _LARGEST)

    def save(self, key: str, data: bytes) -> None:
        """Keep something. A folder that cannot be written costs time later, nothing else."""
        packed = zlib.compress(data, 1)
        if self._private.write(key, hashlib.sha256(key.encode() + packed).digest() + packed):
            self._private.remove_oldest(".", self._most_bytes)

    def tell(self, key: str) -> None:
        """Of a file that is not what was written."""
        if not self._told:
            self._told = True
            path = self._private.folder / key
            _LOGGER.warning("the cache of plans is damaged, and made anew: %s", path)
