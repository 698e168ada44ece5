"""HDF5Data: rows of HDF5 data sets. Caffe: src/caffe/layers/hdf5_data_layer.cpp."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from roastery.files.h5py_later import h5py
from roastery.files.hdf5_file import Hdf5Error, Hdf5File, open_hdf5
from roastery.files.missing import missing
from roastery.files.regular_file import check_regular, open_regular

from ..config import OpenOptions, SourceConfig
from ..draws import SHUFFLE, SHUFFLE_FILES
from ..notes import NoteKind
from ..planned import Allocate, PlannedSource
from ..room import check_batch
from ..source import Position, Shape

_ORIGIN = "hdf5_data_layer.cpp"
LOADING = NoteKind(_ORIGIN, "Loading list of HDF5 filenames from: {path}", line=77)
FILES = NoteKind(_ORIGIN, "Number of HDF5 files: {count}", line=93)

_ROW_NUMBER_BYTES = 8
_FILE_BYTES = 400
"""What a batch plans for every file that it takes rows of; it may take many rounds of one."""
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True, kw_only=True)
class HDF5DataConfig(SourceConfig):
    """HDF5Data: rows of the data sets named after the tops, in the files of a list."""

    kind = "HDF5Data"
    reads = "list of HDF5 files"

    batch_size: int = 0
    shuffle: bool = False

    def missing(self) -> str | None:
        path = Path(self.source)
        if (lost := super().missing()) or not path.is_file():
            return lost
        # A list is short; what is no list is refused by who reads it.
        with path.open("rb") as file:
            words = file.read(1 << 20).decode("utf-8", "surrogateescape").split()
        if "\0" in "".join(words):
            return None
        gone = next((word for word in words if not Path(word).exists()), None)
        return f"HDF5 file '{gone}'" if gone is not None else None

    def open(self, options: OpenOptions) -> HDF5Source:
        return HDF5Source(self, options)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one file: its arrays, one per top, and the numbers of the rows to take."""

    arrays: list[np.ndarray]
    chosen: np.ndarray


class HDF5Source(PlannedSource[list[Rows]]):
    """Rows of the files of a list, in order; a batch goes on into the next file.

    The file that is read is held in memory, as float32. ``shuffle`` mixes the order of
    the files and the rows of each file, anew every epoch.
    """

    def __init__(self, config: HDF5DataConfig, options: OpenOptions) -> None:
        super().__init__(config, options)
        self.config = config
        if config.transform is not None:
            raise self.error(
                "HDF5Data does not transform data, but transform_param is given",
                "transform the data when the file is written, or use Data",
                field="transform_param",
            )
        if not config.tops:
            raise self.error(
                "HDF5Data has no top", "name its tops after data sets of the files", field="top"
            )
        self.check_batch_size(config.batch_size, "hdf5_data_param")
        self._root = options.root
        self.notes(LOADING(path=config.source))
        self._files = self._read_list(self._root / config.source)
        self.notes(FILES(count=len(self._files)))
        self._loaded_file = -1
        self._row_shapes: list[Shape] | None = None
        self._rows: list[np.ndarray] = []
        self._enter(0, 0, 0)
        rows = [array.shape[1:] for array in self._rows]
        planned = _ROW_NUMBER_BYTES + _FILE_BYTES // len(self._rows[0])
        check_batch(config, config.batch_size, rows, planned)

    def plan_work(self) -> list[Rows]:
        parts = []
        share, left = self.share, self.share.whole(self.config.batch_size)
        before = share.offset  # how many rows are other ranks' before the next own one
        while left:
            chosen = self._order[self._row : self._row + left]
            own = chosen[before :: share.step]
            if len(own):
                parts.append(Rows(self._rows, own))
            left -= len(chosen)
            before += share.step * len(own) - len(chosen)
            self._row += len(chosen)
            if self._row == len(self._order):
                self._next_file()
        return parts

    def next_shapes(self) -> list[Shape]:
        return [(self.config.batch_size, *rows.shape[1:]) for rows in self._rows]

    def load(self, work: list[Rows], allocate: Allocate) -> list[np.ndarray]:
        size = self.config.batch_size
        out = [allocate((size, *rows.shape[1:])) for rows in work[0].arrays]
        filled = 0
        for part in work:
            end = filled + len(part.chosen)
            for array, rows in zip(out, part.arrays, strict=True):
                np.take(rows, part.chosen, axis=0, out=array[filled:end], mode="clip")
            filled = end
        return out

    def place_now(self) -> Position:
        return {"epoch": self._epoch, "file": self._file, "row": self._row}

    def move_to(self, position: Mapping[str, Any]) -> None:
        epoch, file, row = (self.saved_number(position, name) for name in ("epoch", "file", "row"))
        if file >= len(self._files):
            raise self.error(
                f"the saved run stood in file {file + 1}, but "
                f"'{self.config.source}' lists {len(self._files)}",
            )
        self._enter(epoch, file, row)

    def close(self) -> None:
        self._rows = []

    def _read_list(self, path: Path) -> list[str]:
        try:
            with open_regular(path, self.config.at("source")) as stream:
                head = stream.read(len(_SIGNATURE))
                if head == _SIGNATURE:
                    raise self.error(
                        f"'{path}' is an HDF5 file itself",
                        "source names a text file that names the .h5 files",
                        field="source",
                    )
                text = (head + stream.read()).decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            hint = "source names a text file that names the .h5 files"
            lost = missing("list of HDF5 files", path, hint=hint)
            raise self.error(lost.message, lost.hint, field="source") from None
        except OSError as error:
            raise self.error(
                f"cannot read '{path}', the list of HDF5 files: {error.strerror}", field="source"
            ) from error
        files = text.split()
        if not files:
            raise self.error(f"'{path}' lists no HDF5 file", field="source")
        return files

    def _enter(self, epoch: int, file: int, row: int) -> None:
        """Stand before a row of a file, both counted in the epoch's order."""
        self._epoch, self._file, self._row = epoch, file, row
        shuffle = self.config.shuffle
        order = (
            self.draws.permutation(SHUFFLE_FILES, epoch, len(self._files))
            if shuffle
            else np.arange(len(self._files))
        )
        chosen = int(order[file])
        if chosen != self._loaded_file:
            self._rows = self._load_file(self._files[chosen])
            self._loaded_file = chosen
        count = len(self._rows[0])
        if row >= count:
            raise self.error(
                f"the saved run stood before row {row}, but "
                f"'{self._files[chosen]}' has {count} rows",
            )
        self._order = (
            self.draws.permutation(SHUFFLE, epoch, count, chosen) if shuffle else np.arange(count)
        )

    def _next_file(self) -> None:
        if self._file + 1 < len(self._files):
            self._enter(self._epoch, self._file + 1, 0)
        else:
            self._enter(self._epoch + 1, 0, 0)

    def _load_file(self, name: str) -> list[np.ndarray]:
        path = self._root / name
        try:
            check_regular(path, self.config.place)
            with open_hdf5(path) as file:
                arrays = [self._read_rows(file, name, top) for top in self.tops]
        except FileNotFoundError:
            lost = missing(
                "HDF5 file",
                name,
                hint="paths in the list start from the working directory",
                named_in=f"'{self.config.source}'",
            )
            raise self.error(lost.message, lost.hint, field="source") from None
        except OSError as error:
            raise self.error(f"cannot read HDF5 file '{name}': {error.strerror}") from error
        except Hdf5Error as error:
            raise self.error(
                f"cannot read HDF5 file '{name}': {error.message}", error.hint
            ) from error
        counts = [len(rows) for rows in arrays]
        if min(counts) != max(counts):
            told = ", ".join(
                f"'{top}' {count}" for top, count in zip(self.tops, counts, strict=True)
            )
            raise self.error(f"the data sets of '{name}' differ in their number of rows: {told}")
        if not counts[0]:
            raise self.error(f"the data sets of '{name}' have no rows")
        shapes = [rows.shape[1:] for rows in arrays]
        if self._row_shapes is None:
            self._row_shapes = list(shapes)
        for top, shape, expected in zip(self.tops, shapes, self._row_shapes, strict=True):
            if shape != expected:
                raise self.error(
                    f"a row of '{top}' has shape {shape} in '{name}', but "
                    f"{expected} in '{self._files[0]}'",
                )
        return arrays

    def _read_rows(self, file: Hdf5File, name: str, top: str) -> np.ndarray:
        found = file.find(top)
        if not isinstance(found, h5py.Dataset):
            there = ", ".join(f"'{key}'" for key in itertools.islice(file.file, 20)) or "none"
            raise self.error(
                f"'{name}' has no data set '{top}' (it has {there})",
                "the tops of HDF5Data are named after data sets",
            )
        if found.dtype.kind not in "fiu":
            raise self.error(
                f"data set '{top}' of '{name}' holds {found.dtype}; numbers were expected",
            )
        if not found.shape:
            raise self.error(
                f"data set '{top}' of '{name}' is a single number; "
                "at least one axis, the rows, was expected",
            )
        return file.floats(found)
