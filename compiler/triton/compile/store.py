"""Binaries kept on disk, by everything that decides their bytes.

An entry is a checksum and then a binary as JSON. Whatever is wrong with an entry (cut off, flipped
bits, another format, somebody else's), it is not there.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from compiler.binary import Binary
from ir.errors import RoasteryError
from roastery.files.cache_folder import PrivateFolder

_DIGEST = hashlib.sha256().digest_size
_VERSION = "triton_version"


class BinaryStore:
    """A folder of compiled kernels, by default a part of the cache folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self._private = (
            PrivateFolder.in_cache("binaries") if folder is None else PrivateFolder(folder)
        )
        self.folder = self._private.folder

    def load(self, key: str) -> Binary | None:
        """The entry, or None when there is no sound one."""
        data = self._private.read(_name(key))
        if data is None or hashlib.sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
            return None
        try:
            header: Any = json.loads(data[_DIGEST:])
            match header:
                case {"cubin": str(cubin), "ptx": str(ptx)}:
                    code = base64.b64decode(cubin, validate=True)
                    return Binary.from_header(header, code, ptx)
        except (ValueError, RoasteryError):
            pass
        return None

    def save(self, key: str, binary: Binary) -> None:
        """Keep an entry. A folder that cannot be written costs time later, nothing else."""
        code = {"cubin": base64.b64encode(binary.cubin).decode(), "ptx": binary.ptx}
        data = json.dumps({**binary.header(), **code}).encode()
        self._private.write(_name(key), hashlib.sha256(data).digest() + data)

    @property
    def version(self) -> str:
        """The version of Triton whose binaries were kept last: it is a part of their names."""
        return (self._private.read(_VERSION) or b"").decode("ascii", "replace")

    @version.setter
    def version(self, version: str) -> None:
        if self.version != version:
            self._private.write(_VERSION, version.encode())


def _name(key: str) -> str:
    return f"{key[:2]}/{key}"
