"""Binaries kept on disk, by everything that decides their bytes.

An entry is a checksum and then the frame that a worker sends. Whatever is wrong with an
entry (cut off, flipped bits, another format), it is not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from pathlib import Path

from compiler.binary import Binary
from compiler.files import cache_folder, write_atomically
from ir.errors import RoasteryError

from .frames import FrameError, read_frame, write_frame

_DIGEST = hashlib.sha256().digest_size


class BinaryStore:
    """A folder of compiled kernels, by default a part of the cache folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder() / "binaries"

    def path(self, key: str) -> Path:
        return self.folder / key[:2] / key

    def load(self, key: str) -> Binary | None:
        """The entry, or None when there is no sound one."""
        try:
            data = self.path(key).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
            return None
        try:
            frame = read_frame(io.BytesIO(data[_DIGEST:]))
            if frame is None:
                return None
            header, (cubin, ptx) = frame
            return Binary.from_header(header, cubin, ptx.decode())
        except (FrameError, ValueError, RoasteryError):
            return None

    def save(self, key: str, binary: Binary) -> None:
        """Keep an entry. A folder that cannot be written costs time later, nothing else."""
        stream = io.BytesIO()
        write_frame(stream, binary.header(), [binary.cubin, binary.ptx.encode()])
        data = stream.getvalue()
        with contextlib.suppress(OSError, RoasteryError):
            write_atomically(self.path(key), hashlib.sha256(data).digest() + data)
