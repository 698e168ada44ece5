"""The archive: a zip whose bytes depend on its contents alone, read with suspicion."""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ir.errors import RoasteryError
from roastery.files.regular_file import open_regular

from .errors import ArtifactError

MANIFEST = "manifest.json"
GRAPH = "graph.txt"
PLAN = "plan.json"
CODE = "code.json"
WEIGHTS = "weights.safetensors"  # stored as it is; everything else is compressed

LARGEST_COMPRESSED_MEMBER = 64 << 20  # bytes, uncompressed
LARGEST_COMPRESSED_SUM = 512 << 20
LARGEST_BY_NAME = {MANIFEST: 4 << 20, GRAPH: 8 << 20, PLAN: 32 << 20, CODE: 32 << 20}
LARGEST_BY_NAME |= {"cpu.json": 4 << 20, "once.json": 32 << 20}
"""What is parsed takes many times its size in memory. In folders the last part of a name counts."""
MOST_MEMBERS = 20_000
MOST_LINES = 40_000
"""Of graph.txt: about as many nodes. A ResNet-152 has 500."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*(/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*")
_EPOCH = (1980, 1, 1, 0, 0, 0)
# What zipfile raises for damaged archives, besides what is meant for it.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)


def _largest(name: str) -> int:
    """Bytes that a compressed member may unpack to."""
    return LARGEST_BY_NAME.get(name.rpartition("/")[2], LARGEST_COMPRESSED_MEMBER)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def json_bytes(data: Any) -> bytes:
    """Data as a member of text."""
    return (json.dumps(data, indent=1) + "\n").encode()


def write_archive(path: Path, members: Mapping[str, bytes]) -> None:
    """Write the members in the order of their names, the manifest first.

    Raises RoasteryError for a member that is too large, ValueError for a forbidden name.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(members, key=lambda name: (name != MANIFEST, name)):
            data = members[name]
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name for a member of an artifact")
            if name != WEIGHTS and len(data) > _largest(name):
                raise RoasteryError(
                    f"cannot write {path}: {name} has {len(data)} bytes; an artifact takes at most "
                    f"{_largest(name)}"
                )
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3  # the same on every system
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_STORED if name == WEIGHTS else zipfile.ZIP_DEFLATED
            archive.writestr(info, data, compresslevel=6)


class Archive:
    """An archive opened for reading; nothing of it is ever unpacked to the disk.

    Raises :class:`ArtifactError` when it is no archive of ours.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = open_regular(path)
        except OSError as error:
            raise ArtifactError(path, f"cannot be read: {error.strerror}") from error
        try:
            self._zip = zipfile.ZipFile(self._file)
            self._members = self._checked()
        except ArtifactError:
            self._file.close()
            raise
        except _DAMAGE as error:
            self._file.close()
            raise ArtifactError(
                path, f"is damaged or no artifact: {error}", hint="`roastery export` writes them"
            ) from error

    def _checked(self) -> dict[str, zipfile.ZipInfo]:
        members: dict[str, zipfile.ZipInfo] = {}
        total = 0
        size = self.path.stat().st_size
        infos = self._zip.infolist()
        if len(infos) > MOST_MEMBERS:
            raise ArtifactError(self.path, f"has {len(infos)} members")
        for info in infos:
            # zipfile cuts names at a zero byte: look at the name as it stands in the file.
            name = info.orig_filename
            if not _NAME.fullmatch(name):
                raise ArtifactError(self.path, f"member {name[:80]!r} has a forbidden name")
            if name in members:
                raise ArtifactError(self.path, f"member {name} is there twice")
            if info.flag_bits & 0x1:
                raise ArtifactError(self.path, f"member {name} is encrypted")
            if info.compress_type == zipfile.ZIP_STORED:
                if info.file_size != info.compress_size or info.file_size > size:
                    raise ArtifactError(self.path, f"member {name} says it is larger than it is")
                if name != WEIGHTS and info.file_size > _largest(name):
                    raise ArtifactError(self.path, f"member {name} has {info.file_size} bytes")
            elif info.compress_type == zipfile.ZIP_DEFLATED:
                total += info.file_size
                if info.file_size > _largest(name) or total > LARGEST_COMPRESSED_SUM:
                    raise ArtifactError(
                        self.path, f"member {name} unpacks to {info.file_size} bytes, too many"
                    )
            else:
                raise ArtifactError(
                    self.path, f"member {name} is compressed by method {info.compress_type}"
                )
            members[name] = info
        return members

    @property
    def names(self) -> list[str]:
        return list(self._members)

    def read(self, name: str) -> bytes:
        """A member's bytes (CRC checked). Raises :class:`ArtifactError`."""
        info = self._members.get(name)
        if info is None:
            raise ArtifactError(self.path, f"{name} is missing")
        try:
            data = self._zip.read(info)
        except _DAMAGE as error:
            raise ArtifactError(self.path, f"{name} is damaged: {error}") from error
        if len(data) != info.file_size:
            raise ArtifactError(self.path, f"{name} is cut off")
        return data

    def verify(self, name: str, size: int, sha256: str) -> None:
        """Compare a member with its size and checksum, in pieces."""
        info = self._members.get(name)
        if info is None:
            raise ArtifactError(self.path, f"{name} is missing")
        if info.file_size != size:
            raise ArtifactError(
                self.path, f"{name} has {info.file_size} bytes, the manifest says {size}"
            )
        found = hashlib.sha256()
        try:
            with self._zip.open(info) as member:
                while piece := member.read(1 << 20):
                    found.update(piece)
        except _DAMAGE as error:
            raise ArtifactError(self.path, f"{name} is damaged: {error}") from error
        if found.hexdigest() != sha256:
            raise ArtifactError(self.path, f"{name} is not what was written: its checksum differs")

    def close(self) -> None:
        self._zip.close()
        self._file.close()
