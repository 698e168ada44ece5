"""HDF5 files of unknown origin: what a file may make us read, and how much.

An HDF5 file can name other files (external links, external storage, virtual data sets), ask for
filters that HDF5 would load as shared objects from a folder, and claim data sets of any size.
None of that is followed or believed.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from ir.errors import RoasteryError

from .h5py_later import h5py
from .regular_file import check_regular

_FREE_BYTES = 512 << 20
_MOST_INFLATED = 16
"""A file's data sets together may take this much, or this many times the file's size."""

_FREE_CHUNKS = 1 << 18
"""A file may have this many chunks, or one for each of its bytes; more cannot be stored."""

_CHUNKS_AT_ONCE = 1 << 12
"""HDF5 takes some 6 kB for every chunk that a single read touches."""

_DEFLATE = 1
_FILTERS = {_DEFLATE, 2, 3, 4, 5, 6, 32000}
"""Filters inside of HDF5 and h5py: deflate, shuffle, Fletcher32, szip, n-bit, scale-offset, LZF."""

_LONGEST_TEXT = 1 << 16
_LARGE_CHUNK = 16 << 20
_DEFLATE_FACTOR = 1032  # deflate shrinks by no more
_MOST_LINKS = 32
_MOST_VISITS = 64  # of one group; a group in itself has as many as it may be deep

_DAMAGED = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, AttributeError)
"""What h5py raises for damaged files."""


class Hdf5Error(RoasteryError):
    """A file that cannot be read, or asks for what is not done."""


class Hdf5File:
    """An HDF5 file, open for reading.

    Attributes:
        name: the path as it was given, for errors.
        file: h5py's view, for its groups. Members are to be found through :meth:`find` and
            :meth:`members`, numbers through :meth:`floats`.
    """

    def __init__(self, name: str, file: h5py.File) -> None:
        self.name = name
        self.file = file
        self.size = int(file.id.get_filesize())
        self._visits: Counter[int] = Counter()
        self._left = max(_FREE_BYTES, _MOST_INFLATED * self.size)
        self._chunks_left = max(_FREE_CHUNKS, self.size)

    def find(self, path: str, group: h5py.Group | None = None) -> Any:
        """The group or data set at ``path``; None where there is none.

        Soft links inside of the file are followed. Raises Hdf5Error for a link that leads
        out of it, or in circles.
        """
        found = self.file if group is None else group
        names = [part for part in path.split("/") if part not in ("", ".")]
        links = 0
        while names:
            part = names.pop(0)
            if not isinstance(found, h5py.Group):
                return None
            link = found.get(part, getlink=True)
            if link is None:
                return None
            if isinstance(link, h5py.ExternalLink):
                raise Hdf5Error(
                    f"{self.name}: '{path}' is a link to another file, '{link.filename}'",
                    hint="links out of a file are not followed; copy what is meant into this file "
                    "(h5copy or h5repack do it)",
                )
            if isinstance(link, h5py.SoftLink):
                links += 1
                if links > _MOST_LINKS:
                    raise Hdf5Error(f"{self.name}: the links of '{path}' lead in circles")
                target = str(link.path)
                if target.startswith("/"):
                    found = self.file
                names = [p for p in target.split("/") if p not in ("", ".")] + names
                continue
            found = found[part]
        return found

    def members(self, group: h5py.Group) -> Iterator[tuple[str, Any]]:
        """Names and members of a group.

        A soft link to a group is passed over: it may lead in circles. Raises Hdf5Error for a
        link to another file, and for groups that hold each other so often that nobody meant it.
        """
        place = h5py.h5o.get_info(group.id).addr
        self._visits[place] += 1
        if self._visits[place] > _MOST_VISITS:
            raise Hdf5Error(f"{self.name}: its groups hold each other, '{group.name}' too often")
        for key in group:
            if isinstance(group.get(key, getlink=True), h5py.HardLink):
                yield key, group[key]
                continue
            found = self.find(key, group)
            if found is None:
                raise Hdf5Error(f"{self.name}: the link '{key}' of '{group.name}' leads nowhere")
            if isinstance(found, h5py.Dataset):
                yield key, found

    def floats(self, dataset: Any, kinds: str = "fiu") -> np.ndarray:
        """A data set of numbers as float32, C-contiguous.

        Args:
            dataset: what :meth:`find` gave.
            kinds: the kinds of numbers that are taken, by numpy's letters.

        Raises:
            Hdf5Error: it is no data set, not numeric, lies in other files, needs a filter that
                is not HDF5's own, or is larger than this file may hold.
        """
        self._require_dataset(dataset)
        name = f"{self.name}: data set '{dataset.name}'"
        if dataset.dtype.kind not in kinds or dataset.shape is None:
            raise Hdf5Error(f"{name} holds no numbers, but {dataset.dtype}")
        self._require_inside(dataset)
        needed = dataset.size * max(4, dataset.dtype.itemsize)
        if needed > self._left:
            raise Hdf5Error(
                f"{name} claims {dataset.shape} values, {needed} bytes, which is more than the "
                f"file can hold: it has {self.size} bytes",
                hint=f"a file may unpack to {_MOST_INFLATED} times its size, and always to "
                f"{_FREE_BYTES >> 20} MiB; store its data sets without compression, or in "
                "several files",
            )
        self._left -= needed
        self._check_chunks(dataset)
        if dataset.chunks is None or _chunk_count(dataset) <= _CHUNKS_AT_ONCE:
            return np.ascontiguousarray(dataset[()], np.float32).reshape(dataset.shape)
        values = np.empty(dataset.shape, np.float32)
        for part in _parts(dataset.shape, dataset.chunks):
            values[part] = dataset[part]
        return values

    def integer(self, path: str) -> int:
        """The single integer at ``path``; 0 where there is nothing."""
        found = self.find(path)
        if found is None:
            return 0
        if not isinstance(found, h5py.Dataset) or found.size != 1 or found.dtype.kind not in "iu":
            raise Hdf5Error(f"{self.name}: {path} is not an integer")
        self._require_inside(found)
        self._check_chunks(found)
        return int(np.asarray(found[()]).reshape(-1)[0])

    def text(self, path: str) -> str:
        """The single string at ``path``; empty where there is nothing."""
        found = self.find(path)
        if found is None:
            return ""
        if not isinstance(found, h5py.Dataset) or found.size != 1 or found.dtype.kind not in "SO":
            raise Hdf5Error(f"{self.name}: {path} is not a string")
        if found.dtype.itemsize > _LONGEST_TEXT:
            raise Hdf5Error(
                f"{self.name}: {path} claims a string of {found.dtype.itemsize} bytes; "
                f"{_LONGEST_TEXT} are the limit"
            )
        self._require_inside(found)
        self._check_chunks(found)
        value = np.asarray(found[()]).reshape(-1)[0]
        if isinstance(value, bytes):
            value = value.split(b"\0")[0].decode("utf-8", "surrogateescape")
        if not isinstance(value, str):
            raise Hdf5Error(f"{self.name}: {path} is not a string")
        return value

    def _require_dataset(self, found: Any) -> None:
        if not isinstance(found, h5py.Dataset):
            kind = "a group" if isinstance(found, h5py.Group) else "no data set"
            raise Hdf5Error(
                f"{self.name}: '{getattr(found, 'name', '?')}' is {kind}; a data set was expected"
            )

    def _require_inside(self, dataset: h5py.Dataset) -> None:
        """Refuse data sets that lie in other files, and filters that would be loaded."""
        name = f"{self.name}: data set '{dataset.name}'"
        hint = "copy its values into a data set of this file"
        if dataset.external:
            raise Hdf5Error(f"{name} refers to other files (external storage)", hint=hint)
        if dataset.is_virtual:
            raise Hdf5Error(f"{name} refers to other files (a virtual data set)", hint=hint)
        settings = dataset.id.get_create_plist()
        for index in range(settings.get_nfilters()):
            number = settings.get_filter(index)[0]
            if number not in _FILTERS:
                raise Hdf5Error(
                    f"{name} is packed by filter {number}, which HDF5 would load as a plugin",
                    hint="pack it again with gzip: h5repack -f GZIP=4 OLD NEW",
                )

    def _check_chunks(self, dataset: h5py.Dataset) -> None:
        """HDF5 unpacks whole chunks, and believes what they unpack to."""
        if dataset.chunks is None:
            return
        name = f"{self.name}: data set '{dataset.name}'"
        nbytes = int(np.prod(dataset.chunks, dtype=object)) * dataset.dtype.itemsize
        stored = dataset.size * dataset.dtype.itemsize
        if nbytes > max(_LARGE_CHUNK, 2 * stored):
            raise Hdf5Error(
                f"{name} has {stored} bytes in chunks of {nbytes}",
                hint="store it without chunks: h5repack -l CONTI OLD NEW",
            )
        count = _chunk_count(dataset)
        if count > self._chunks_left:
            raise Hdf5Error(
                f"{name} claims {count} chunks, which is more than the file can hold: it has "
                f"{self.size} bytes",
                hint="store it without chunks: h5repack -l CONTI OLD NEW",
            )
        self._chunks_left -= count
        settings = dataset.id.get_create_plist()
        filters = {settings.get_filter(index)[0] for index in range(settings.get_nfilters())}
        if _DEFLATE not in filters:
            return
        large = _LARGE_CHUNK // _DEFLATE_FACTOR
        places = [chunk.chunk_offset for chunk in _chunks(dataset) if chunk.size > large]
        for place in places:
            _, packed = dataset.id.read_direct_chunk(place)
            if not _unpacks_to(packed, nbytes + 64):
                raise Hdf5Error(f"{name} has a chunk that unpacks to more than it holds")


def _chunk_count(dataset: h5py.Dataset) -> int:
    return math.prod(
        -(-size // side) for size, side in zip(dataset.shape, dataset.chunks, strict=True)
    )


def _parts(shape: tuple[int, ...], chunks: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Blocks of whole chunks that make up a data set, each of a bounded number of them."""
    left = _CHUNKS_AT_ONCE
    cuts: list[list[slice]] = []
    for size, side in zip(reversed(shape), reversed(chunks), strict=True):
        taken = min(-(-size // side), left)
        left //= taken
        step = taken * side
        cuts.append([slice(at, min(at + step, size)) for at in range(0, size, step)])
    return itertools.product(*reversed(cuts))


def _chunks(dataset: h5py.Dataset) -> list[Any]:
    found: list[Any] = []
    dataset.id.chunk_iter(found.append)
    return found


def _unpacks_to(packed: bytes, most: int) -> bool:
    """Whether a deflated chunk has at most ``most`` bytes; damage is HDF5's to find."""
    stream = zlib.decompressobj()
    left = most
    piece = packed
    try:
        while piece and not stream.eof:
            left -= len(stream.decompress(piece, 1 << 20))
            if left < 0:
                return False
            piece = stream.unconsumed_tail
    except zlib.error:
        pass
    return True


@contextlib.contextmanager
def open_hdf5(path: str | os.PathLike[str]) -> Iterator[Hdf5File]:
    """An HDF5 file, open for reading.

    Raises:
        OSError: it is missing or unreadable.
        Hdf5Error: it is no file, no HDF5 file, or damaged (what h5py raises inside of the
            block too).
    """
    name = os.fspath(path)
    check_regular(path)
    try:
        file = h5py.File(path, "r")
    except PermissionError:
        raise
    except _DAMAGED as error:
        reason = "is truncated" if "truncated" in str(error) else "is a damaged HDF5 file"
        raise Hdf5Error(f"{name} {reason}: {error}") from None
    with file:
        try:
            yield Hdf5File(name, file)
        except _DAMAGED as error:
            raise Hdf5Error(f"{name} is a damaged HDF5 file: {error}") from None
