"""Writing the archive: its bytes depend on its contents alone."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from ir.errors import RoasteryError

from .container import MANIFEST, NAME, WEIGHTS, archive_seal, largest, packs_too_well
from .directory import SEAL_BYTES, read_directory
from .weights import ALIGNED

_EPOCH = (1980, 1, 1, 0, 0, 0)
_ALIGNMENT = 0xD935
"""The extra field that fills up, as Android's tools write it: the alignment, and zeros."""
_HEADER, _FIELD, _LARGE = 30, 6, 20  # bytes: a member's, a filling field's, that of large sizes


def write_archive(path: Path, members: Mapping[str, bytes]) -> None:
    """Write the members in the order of their names, the manifest first, and seal them.

    Raises RoasteryError for a member that is too large, ValueError for a forbidden name.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(members, key=lambda name: (name != MANIFEST, name)):
            data = members[name]
            if not NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name for a member of an artifact")
            if name != WEIGHTS and len(data) > largest(name):
                raise RoasteryError(
                    f"cannot write {path}: {name} has {len(data)} bytes; an artifact takes at most "
                    f"{largest(name)}"
                )
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3  # the same on every system
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            if name == WEIGHTS:
                info.compress_type = zipfile.ZIP_STORED
                info.extra = _filling(archive.start_dir + _HEADER + len(name), len(data))
            elif packs_too_well(len(data), len(zlib.compress(data, 6))):
                info.compress_type = zipfile.ZIP_STORED
            archive.writestr(info, data, compresslevel=6)
        archive.comment = bytes(SEAL_BYTES)
    _seal(path)


def _filling(start: int, nbytes: int) -> bytes:
    """Behind a header that ends at ``start``, so that so many bytes of data lie aligned."""
    start += _FIELD + (_LARGE if nbytes * 1.05 > zipfile.ZIP64_LIMIT else 0)
    zeros = bytes(-start % ALIGNED)
    numbers = _ALIGNMENT, 2 + len(zeros), ALIGNED
    return b"".join(number.to_bytes(2, "little") for number in numbers) + zeros


def _seal(path: Path) -> None:
    """Put the checksum of the rest into the room that was left for it."""
    import mmap

    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as data:
        blank = b"sha256 " + bytes(64).replace(b"\0", b"0")
        data[len(data) - SEAL_BYTES :] = blank
        with memoryview(data) as view:
            directory = read_directory(view, len(view))
            found = archive_seal(view, directory.entries, directory.end)
        data[len(data) - SEAL_BYTES :] = b"sha256 " + found.encode()
