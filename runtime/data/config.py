"""What a data layer was asked to do, as plain fields with Caffe's names and defaults.

`runtime` does not know prototxt messages; the face fills these classes from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from ir.errors import RoasteryError
from ir.location import Location

from .notes import Notes, to_logger

Phase: TypeAlias = Literal["TRAIN", "TEST"]


@dataclass(frozen=True, kw_only=True)
class OpenOptions:
    """How a source is opened, whatever it reads.

    Attributes:
        phase: "TRAIN" crops at random, "TEST" in the centre.
        seed: of crops, mirroring and shuffling; equal seeds and layer names give equal batches.
        root: folder that relative paths start from; Caffe's is the working directory.
        lock: keep writers of a database from what is read; not worth it for one record.
        notes: gets what the source says, while it is opened and later on any thread.
    """

    phase: Phase = "TEST"
    seed: int = 0
    root: Path = Path()
    lock: bool = True
    notes: Notes = to_logger


@dataclass(frozen=True, kw_only=True)
class TransformConfig:
    """Caffe's TransformationParameter. out = (pixel - mean) * scale."""

    scale: float = 1.0
    mirror: bool = False
    crop_size: int = 0
    mean_file: str = ""
    mean_value: tuple[float, ...] = ()
    force_color: bool = False
    force_gray: bool = False


@dataclass(frozen=True, kw_only=True)
class LayerConfig:
    """What every data layer has: its tops, and where it stands for errors.

    ``key`` tells layers of one name apart: each makes random choices of its own. ``places``: where
    its settings stand, by their names here (``batch_size``, ``transform_param.crop_size``), and
    "" for its own block.
    """

    tops: tuple[str, ...] = ("data", "label")
    layer: str = ""
    key: str = ""
    location: Location | None = None
    transform: TransformConfig | None = None
    places: Mapping[str, Location] = field(default_factory=dict, compare=False, repr=False)

    @property
    def place(self) -> Location | None:
        """The location to show in errors, with the layer's name in it."""
        if self.location is None:
            return Location(layer=self.layer) if self.layer else None
        if self.layer and not self.location.layer:
            return replace(self.location, layer=self.layer)
        return self.location

    def at(self, setting: str) -> Location | None:
        """Where a setting stands; of one that is not given, its block's place, or the layer's."""
        block, _, name = setting.rpartition(".")
        found = self.places.get(setting, self.places.get(block, self.place))
        return replace(found, layer=self.layer, field=name) if found is not None else None

    def error(self, message: str, setting: str = "", hint: str | None = None) -> RoasteryError:
        """An error at a setting (see `at`), or at the layer."""
        place = self.at(setting) if setting else self.place
        name = setting.rpartition(".")[2]
        return RoasteryError(message, location=place, hint=hint, field=name)


@dataclass(frozen=True, kw_only=True)
class DataConfig(LayerConfig):
    """Data: Datum records of an LMDB or LevelDB. ``rand_skip`` is not read, as in Caffe."""

    source: str = ""
    batch_size: int = 0
    backend: str = "LEVELDB"
    rand_skip: int = 0
    prefetch: int = 4


@dataclass(frozen=True, kw_only=True)
class ImageDataConfig(LayerConfig):
    """ImageData: pictures named in a list, one "path label" a line."""

    source: str = ""
    batch_size: int = 1
    rand_skip: int = 0
    shuffle: bool = False
    new_height: int = 0
    new_width: int = 0
    is_color: bool = True
    root_folder: str = ""
    prefetch: int = 4


@dataclass(frozen=True, kw_only=True)
class HDF5DataConfig(LayerConfig):
    """HDF5Data: rows of the data sets named after the tops, in the files of a list."""

    source: str = ""
    batch_size: int = 0
    shuffle: bool = False


@dataclass(frozen=True, kw_only=True)
class MemoryDataConfig(LayerConfig):
    """MemoryData: arrays handed over by the program."""

    batch_size: int = 0
    channels: int = 0
    height: int = 0
    width: int = 0


@dataclass(frozen=True, kw_only=True)
class WindowDataConfig(LayerConfig):
    """WindowData: warped windows of pictures, as R-CNN trains on them."""

    source: str = ""
    scale: float = 1.0
    batch_size: int = 0
    fg_threshold: float = 0.5
    bg_threshold: float = 0.5
    fg_fraction: float = 0.25
    context_pad: int = 0
    crop_mode: str = "warp"
    cache_images: bool = False
    root_folder: str = ""
    prefetch: int = 4


@dataclass(frozen=True, kw_only=True)
class DummyFiller:
    """Fills one top: ``fill(shape, seed)`` gives its values for one forward pass.

    ``constant`` fillers run once, the others before every forward pass with a new seed.
    """

    fill: Callable[[tuple[int, ...], int], np.ndarray]
    constant: bool = False


@dataclass(frozen=True, kw_only=True)
class DummyDataConfig(LayerConfig):
    """DummyData: filler values. Either ``shapes`` or the four legacy lists."""

    shapes: tuple[tuple[int, ...], ...] = ()
    num: tuple[int, ...] = ()
    channels: tuple[int, ...] = ()
    height: tuple[int, ...] = ()
    width: tuple[int, ...] = ()
    fillers: tuple[DummyFiller, ...] = ()


SourceConfig: TypeAlias = (
    DataConfig
    | ImageDataConfig
    | HDF5DataConfig
    | MemoryDataConfig
    | WindowDataConfig
    | DummyDataConfig
)
