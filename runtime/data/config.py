"""What all data layers are asked for, as plain fields with Caffe's names and defaults.

Each layer adds its own, in a file of `sources`. `runtime` does not know prototxt messages;
`roastery` fills these classes from them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal, TypeAlias

from ir.errors import RoasteryError
from ir.location import Location

from .augment.aspect_ratio import RandomAspectRatioConfig
from .augment.settings import (
    DistortConfig,
    EmitConfig,
    ExpandConfig,
    NoiseConfig,
    ResizeConfig,
)
from .augment.short_side import RandomResizeConfig
from .augment.stretch import Algorithm
from .notes import Notes, to_logger
from .share import ALL, Share
from .source import DataSource

Axis: TypeAlias = int | str
ReadPixelClasses: TypeAlias = Callable[[Path, Location | None], tuple[int, ...]]
Phase: TypeAlias = Literal["TRAIN", "TEST"]


@dataclass(frozen=True)
class SolverSpan:
    """How long a solver trains, as far as data depends on it.

    Attributes:
        max_iter: iterations in all; 0: it is not known.
        iter_size: batches of an iteration.
    """

    max_iter: int = 0
    iter_size: int = 1


NO_SOLVER = SolverSpan()


@dataclass(frozen=True, kw_only=True)
class OpenOptions:
    """How a source is opened, whatever it reads.

    Attributes:
        phase: "TRAIN" crops at random, "TEST" in the centre.
        seed: of crops, mirroring and shuffling; equal seeds and layer names give equal batches.
        root: folder that relative paths start from; Caffe's is the working directory.
        lock: keep writers of a database from what is read; not worth it for one record.
        notes: gets what the source says, while it is opened and later on any thread.
        schedule: of the solver that the batches are for.
        share: of the records, where several ranks read them.
    """

    phase: Phase = "TEST"
    seed: int = 0
    root: Path = Path()
    lock: bool = True
    notes: Notes = to_logger
    schedule: SolverSpan = NO_SOLVER
    share: Share = ALL


@dataclass(frozen=True, kw_only=True)
class TransformConfig:
    """Caffe's TransformationParameter. out = (pixel - mean) * scale.

    ``crop_height``, ``crop_width`` and ``scale_factors`` are ImageSegData's. From ``crop_h`` on,
    what weiliu89/caffe (SSD) added; ``crop_size`` is both of ``crop_h`` and ``crop_w``. From
    ``random_resize_param`` on, what intel/caffe and NVIDIA/caffe added; from ``multi_scale`` on,
    what yjxiong/caffe (TSN) did, of which SegData alone has ``stride`` and the upper sizes.
    ``further_resize_param`` (sizes beside the one of ``resize_param``) and ``cvt_bgr2rgb`` are
    MobileNet-YOLO's, ``caffe_yolo`` is Synopsys'; from ``color_order`` on
    they are MyCaffe's.
    """

    scale: float = 1.0
    mirror: bool = False
    crop_size: int = 0
    mean_file: str = ""
    mean_value: tuple[float, ...] = ()
    force_color: bool = False
    force_gray: bool = False
    crop_height: int = 0
    crop_width: int = 0
    scale_factors: tuple[float, ...] = ()
    crop_h: int = 0
    crop_w: int = 0
    resize_param: ResizeConfig | None = None
    noise_param: NoiseConfig | None = None
    distort_param: DistortConfig | None = None
    expand_param: ExpandConfig | None = None
    emit_constraint: EmitConfig | None = None
    random_resize_param: RandomResizeConfig | None = None
    random_aspect_ratio_param: RandomAspectRatioConfig | None = None
    img_rand_resize_lower: int = 0
    img_rand_resize_upper: int = 0
    rand_resize_ratio_lower: float | None = None
    rand_resize_ratio_upper: float | None = None
    vertical_stretch_lower: float | None = None
    vertical_stretch_upper: float | None = None
    horizontal_stretch_lower: float | None = None
    horizontal_stretch_upper: float | None = None
    interpolation_algo_down: Algorithm = "INTER_NEAREST"
    interpolation_algo_up: Algorithm = "INTER_CUBIC"
    allow_upscale: bool = False
    multi_scale: bool = False
    scale_ratios: tuple[float, ...] = ()
    max_distort: int = 1
    fix_crop: bool = False
    more_fix_crop: bool = False
    is_flow: bool = False
    stride: int = 1
    upper_size: int | None = None
    upper_height: int | None = None
    upper_width: int | None = None
    bgr2rgb: bool = False
    further_resize_param: tuple[ResizeConfig, ...] = ()
    cvt_bgr2rgb: bool = False
    caffe_yolo: bool = False
    color_order: Literal["RGB", "BGR"] | None = None
    use_image_mean: bool = False
    use_imagedb_mean: bool = False

    @property
    def crop(self) -> tuple[int, int]:
        """Height and width to crop to; 0: what the picture has."""
        if self.crop_size:
            return self.crop_size, self.crop_size
        return self.crop_h, self.crop_w

    @property
    def sizes(self) -> tuple[ResizeConfig, ...]:
        """The sizes that pictures are resized to; several: one of them is drawn now and then."""
        if self.resize_param is None:
            return ()
        return self.resize_param, *self.further_resize_param

    def known_size(self) -> tuple[int, int, tuple[str, ...]]:
        """Height and width that every picture comes out with, 0 where nothing tells, and what
        tells."""
        height, width = self.crop
        fields = [name for name in ("crop_size", "crop_h", "crop_w") if getattr(self, name)]
        resize = self.resize_param
        if resize is not None and resize.resize_mode != "FIT_SMALL_SIZE" and not height * width:
            height, width = height or resize.height, width or resize.width
            fields.append("resize_param")
        return height, width, tuple(fields[:1] if self.crop_size else fields)


@dataclass(frozen=True)
class KnownAxes:
    """Channels, height and width of a layer's images, None where nothing tells; and what tells."""

    axes: tuple[int | None, int | None, int | None] = (None, None, None)
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SourceConfig(ABC):
    """What every data layer has: its tops, and where it stands for errors.

    A subclass is all that tells of a data layer here: ``kind`` is the layer type, its fields are
    named as those of the layer's messages. ``reads``: what ``source`` names; "": it has none.
    ``labelled``: the first top holds images, and the others what `beside` says; ``made_up_label``
    is what the others hold where nothing is read. ``transforms``: its images come out as
    transform_param says, and boxes in them too if it is ``annotated``. ``from_block``: fields that
    two of its messages have, and the message that counts. ``told_by``: a field of its own block
    that tells it from another fork's layer of the same type, which lacks it; ``mean_groups``:
    fewer mean values than channels count for each such group of channels.

    ``key`` tells layers of one name apart: each makes random choices of its own. ``places``: where
    its settings stand, by their names here (``batch_size``, ``transform_param.crop_size``), and
    "" for its own block. ``read_pixel_classes``: reads the class of each grey level in a label map,
    which is a prototxt, and those are not known here.
    """

    kind: ClassVar[str]
    reads: ClassVar[str] = ""
    labelled: ClassVar[bool] = False
    made_up_label: ClassVar[float] = 0.0
    transforms: ClassVar[bool] = True
    annotated: ClassVar[bool] = False
    from_block: ClassVar[Mapping[str, str]] = MappingProxyType({})
    told_by: ClassVar[str] = ""
    mean_groups: ClassVar[bool] = False

    source: str = ""
    tops: tuple[str, ...] = ("data", "label")
    layer: str = ""
    key: str = ""
    location: Location | None = None
    transform: TransformConfig | None = None
    places: Mapping[str, Location] = field(default_factory=dict, compare=False, repr=False)
    read_pixel_classes: ReadPixelClasses | None = field(default=None, compare=False, repr=False)

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

    @abstractmethod
    def open(self, options: OpenOptions) -> DataSource:
        """The source. Raises RoasteryError for what can be known before the first batch."""

    def missing(self) -> str | None:
        """What of its data is not there, in words; None if it is, or if it needs none."""
        if not self.reads:
            return None
        if not self.source:
            return self.reads
        return None if Path(self.source).exists() else f"{self.reads} '{self.source}'"

    @property
    def can_take_turns(self) -> bool:
        """Whether ranks can share out what it reads, record by record or, of tests, batch by batch.
        What cannot be shared out every rank has for itself, and reads all of it."""
        return True

    def pictures_each(self) -> int:
        """How many pictures are one behind the other in the channels of an item."""
        return 1

    def known_axes(self) -> KnownAxes:
        """What the layer's own block says of its images."""
        return KnownAxes()

    def beside(self, images: tuple[Axis, ...]) -> list[tuple[Axis, ...]]:
        """Shapes of the tops beside the images, given theirs: one label per image.

        An axis is an extent, or a letter for one that is not known.
        """
        return [images[:1]]
