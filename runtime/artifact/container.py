"""The archive: a zip, read with suspicion."""

from __future__ import annotations

import hashlib
import json
import mmap
import re
import zlib
from pathlib import Path
from typing import Any

from roastery.files.missing import cannot_read
from roastery.files.regular_file import open_regular

from .directory import DEFLATED, STORED, ArchiveMember, read_directory
from .errors import ArtifactError

MANIFEST = "manifest.json"
GRAPH = "graph.txt"
PLAN = "plan.json"
CODE = "code.json"
LAYERS = "layers.json"
WEIGHTS = "weights.safetensors"  # stored as it is; everything else is compressed

LARGEST_COMPRESSED_MEMBER = 64 << 20  # bytes, uncompressed
LARGEST_COMPRESSED_SUM = 512 << 20
LARGEST_BY_NAME = {MANIFEST: 4 << 20, GRAPH: 8 << 20, PLAN: 32 << 20, CODE: 32 << 20}
LARGEST_BY_NAME[LAYERS] = 8 << 20
LARGEST_BY_NAME |= {"cpu.json": 4 << 20, "planned.json": 32 << 20, "once.json": 32 << 20}
"""What is parsed takes many times its size in memory. In folders the last part of a name counts."""
MOST_MEMBERS = 20_000
MOST_LINES = 40_000
"""Of graph.txt: about as many nodes. A ResNet-152 has 500."""
MOST_VALUES = 2_000_000
"""Of a member of JSON, at most: a plan of ResNet-50 has 10,000. Ten million empty lists, which fit
into 30 MB, are parsed for a second, and take 700 MB."""

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*(/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*")
LARGEST_RATIO, _ROOM = 100, 1 << 20
"""Of what a member unpacks to. What packs better is stored: a small file takes little memory."""
_PIECE = 4 << 20


def largest(name: str) -> int:
    """Bytes that a compressed member may unpack to."""
    return LARGEST_BY_NAME.get(name.rpartition("/")[2], LARGEST_COMPRESSED_MEMBER)


def packs_too_well(nbytes: int, packed: int) -> bool:
    """Whether a member unpacks to more than a reader takes of so many bytes."""
    return nbytes > LARGEST_RATIO * packed + _ROOM


def digest(data: bytes | memoryview) -> str:
    return hashlib.sha256(data).hexdigest()


def json_bytes(data: Any) -> bytes:
    """Data as a member of text."""
    return (json.dumps(data, indent=1) + "\n").encode()


def json_value(data: bytes) -> Any:
    """Inverse of :func:`json_bytes`. Raises ValueError, also for more values than anything has."""
    data = bytes(data)
    values = sum(map(data.count, (b",", b"[", b"{")))
    if values > MOST_VALUES:
        raise ValueError(f"{values} values of JSON; {MOST_VALUES} are the limit")
    return json.loads(data.decode())


class Archive:
    """An archive opened for reading; nothing of it is ever unpacked to the disk.

    The file is mapped: what is stored in it is read where it lies. Raises :class:`ArtifactError`
    when it is no archive of ours.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with open_regular(path) as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            lost = cannot_read("artifact", path, error)
            raise ArtifactError.of(lost) from error
        except ValueError as error:
            raise self._damaged(error) from error
        self._data = memoryview(self._map)
        try:
            directory = read_directory(self._data, MOST_MEMBERS)
            self._end, self.seal = directory.end, directory.seal
            self._members = self._checked(directory.entries)
        except ValueError as error:
            raise self._damaged(error) from error

    def _damaged(self, why: ValueError) -> ArtifactError:
        return ArtifactError(
            self.path,
            f"is damaged or no artifact: {why}",
            hint="`roastery export` writes them",
        )

    def _checked(self, entries: list[ArchiveMember]) -> dict[str, ArchiveMember]:
        members: dict[str, ArchiveMember] = {}
        total = 0
        for entry in entries:
            name, nbytes = entry.name, entry.nbytes
            if not NAME.fullmatch(name):
                raise ArtifactError(self.path, f"member {name[:80]!r} has a forbidden name")
            if name in members:
                raise ArtifactError(self.path, f"member {name} is there twice")
            if entry.encrypted:
                raise ArtifactError(self.path, f"member {name} is encrypted")
            if entry.method == STORED:
                if nbytes != entry.packed:
                    raise ArtifactError(self.path, f"member {name} says it is larger than it is")
                if name != WEIGHTS and nbytes > largest(name):
                    raise ArtifactError(self.path, f"member {name} has {nbytes} bytes")
            elif entry.method == DEFLATED:
                total += nbytes
                if (
                    nbytes > largest(name)
                    or total > LARGEST_COMPRESSED_SUM
                    or packs_too_well(nbytes, entry.packed)
                ):
                    problem = f"member {name} unpacks to {nbytes} bytes, too many"
                    raise ArtifactError(self.path, problem)
            else:
                problem = f"member {name} is compressed by method {entry.method}"
                raise ArtifactError(self.path, problem)
            members[name] = entry
        return members

    @property
    def names(self) -> list[str]:
        return list(self._members)

    def is_stored(self, name: str) -> bool:
        """Whether a member's bytes stand in the file as they are."""
        return self._member(name).method == STORED

    def read(self, name: str) -> bytes:
        """A member's bytes (CRC checked). Raises :class:`ArtifactError`."""
        entry = self._member(name)
        data = self._unpacked(entry)
        if zlib.crc32(data) != entry.crc:
            raise ArtifactError(self.path, f"{name} is damaged: its CRC differs")
        return bytes(data)

    def view(self, name: str) -> memoryview:
        """As :meth:`read`, of the file itself where it is stored, and without a look at the CRC."""
        return memoryview(self._unpacked(self._member(name)))

    def _unpacked(self, entry: ArchiveMember) -> bytes | memoryview:
        packed = self._data[entry.start : entry.start + entry.packed]
        if entry.method == STORED:
            return packed
        unpack = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data = unpack.decompress(packed, entry.nbytes + 1)
        except zlib.error as error:
            raise ArtifactError(self.path, f"{entry.name} is damaged: {error}") from error
        if not unpack.eof or unpack.unused_data or len(data) != entry.nbytes:
            raise ArtifactError(self.path, f"{entry.name} is damaged: it has another size")
        return data

    def _member(self, name: str) -> ArchiveMember:
        entry = self._members.get(name)
        if entry is None:
            raise ArtifactError(self.path, f"{name} is missing")
        return entry

    def check_size(self, name: str, size: int) -> None:
        """Raise :class:`ArtifactError` where a member has another one."""
        found = self._member(name).nbytes
        if found != size:
            raise ArtifactError(self.path, f"{name} has {found} bytes, the manifest says {size}")

    def verify(self, name: str, sha256: str) -> bytes | memoryview:
        """A member whose checksum is this one. Raises :class:`ArtifactError`."""
        data = self._unpacked(self._member(name))
        if name != WEIGHTS:
            data = bytes(data)  # what is compared is what is used, whoever writes to the file
        found = hashlib.sha256()
        view = memoryview(data)
        for at in range(0, len(view), _PIECE):
            found.update(view[at : at + _PIECE])
        if found.hexdigest() != sha256:
            raise ArtifactError(self.path, f"{name} is not what was written: its checksum differs")
        return data

    def check_seal(self) -> None:
        """Compare all that is no data of stored members. Raises :class:`ArtifactError`."""
        if self.seal != archive_seal(self._data, list(self._members.values()), self._end):
            raise ArtifactError(
                self.path, "is not what was written: the checksum at its end differs"
            )

    def close(self) -> None:
        """The mapping stays as long as something of it is in use."""
        self._data.release()


def archive_seal(data: memoryview, entries: list[ArchiveMember], end: int) -> str:
    """SHA-256 of an archive up to its last record, without the data of stored members."""
    found = hashlib.sha256()
    at = 0
    for entry in entries:
        if entry.method == STORED:
            found.update(data[at : entry.start])
            at = entry.start + entry.packed
    found.update(data[at:end])
    return found.hexdigest()
