"""WindowData: warped windows of pictures, sampled from foreground and background.

Caffe: src/caffe/layers/window_data_layer.cpp. As there, the scale is the one of
window_data_param, the one of transform_param is not read.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ir.types import shape_text
from roastery.files.missing import missing
from roastery.files.regular_file import read_regular

from ...logging.records import Severity
from ..config import KnownAxes, OpenOptions, SourceConfig, TransformConfig
from ..counted import CountedSource
from ..draws import MIRROR, WINDOW
from ..image_codec import ImageError, decode_image, resize_image
from ..mean_file import read_mean
from ..notes import NoteKind
from ..planned import Allocate
from ..room import PLANNED_BYTES, check_batch, check_record
from ..source import Shape
from ..window_file import Window, read_windows

_ORIGIN = "window_data_layer.cpp"
IMAGES = NoteKind(_ORIGIN, "Number of images: {count}")
SAMPLES = NoteKind(_ORIGIN, "class {label} has {count} samples")
SCALE_UNREAD = NoteKind(
    _ORIGIN,
    "WindowData does not read transform_param {{ scale }}, as Caffe does not; "
    "set window_data_param {{ scale }}",
    severity=Severity.WARNING,
)


@dataclass(frozen=True, kw_only=True)
class WindowDataConfig(SourceConfig):
    """WindowData: warped windows of pictures, as R-CNN trains on them."""

    kind = "WindowData"
    reads = "window file"
    labelled = True

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

    def missing(self) -> str | None:
        if lost := super().missing():
            return lost
        for image in read_windows(Path(self.source), self.place)[0]:
            if not Path(self.root_folder + image.path).exists():
                return f"image '{self.root_folder + image.path}'"
        return None

    def known_axes(self) -> KnownAxes:
        return KnownAxes((3, None, None))

    def open(self, options: OpenOptions) -> WindowSource:
        return WindowSource(self, options)


@dataclass(frozen=True, slots=True)
class Sample:
    """A window to read, and whether it is mirrored."""

    window: Window
    mirror: bool


@dataclass(frozen=True, slots=True)
class PlacedRegion:
    """A part of a picture, corners included, and where it goes in the crop.

    ``height`` and ``width`` are those it is resized to; ``left`` and ``top`` its place.
    """

    x1: int
    y1: int
    x2: int
    y2: int
    height: int
    width: int
    left: int
    top: int


class WindowSource(CountedSource[list[Sample]]):
    """Random windows: of every batch of all ranks, fg_fraction are foreground, and these come
    last."""

    def __init__(self, config: WindowDataConfig, options: OpenOptions) -> None:
        super().__init__(config, options, config.batch_size)
        self.config = config
        self._transform = config.transform or TransformConfig()
        self._folder = options.root
        self._check()
        self._images, windows = read_windows(options.root / config.source, config.at("source"))
        for image in self._images:
            if image.channels != 3:
                raise self.error(
                    f"image '{image.path}' has {image.channels} channels "
                    f"({config.source}, line {image.line}); 3 were expected",
                    "WindowData reads pictures in colour",
                )
        self._split(windows)
        self._files: dict[int, bytes] = {}
        if config.cache_images:
            self._files = {i: self._read_file(i) for i in range(len(self._images))}
        self._mean = self._read_mean(options.root)

    def plan_work(self) -> list[Sample]:
        numbers = self.next_numbers()
        self._number = numbers.stop
        whole = self.share.whole(self.batch_size)
        foreground = int(np.float32(whole) * np.float32(self.config.fg_fraction))
        chosen = self.draws.words(WINDOW, numbers)
        flips = self.draws.words(MIRROR, numbers) & 1
        samples = []
        for i, number in enumerate(numbers):
            pool = self._foreground if number >= numbers.stop - foreground else self._background
            samples.append(
                Sample(pool[int(chosen[i]) % len(pool)], self._transform.mirror and bool(flips[i]))
            )
        return samples

    def next_shapes(self) -> list[Shape]:
        size, crop = self.config.batch_size, self._transform.crop_size
        return [(size, 3, crop, crop), (size,)]

    def load(self, work: list[Sample], allocate: Allocate) -> list[np.ndarray]:
        out, labels = (allocate(shape) for shape in self.next_shapes())
        labels[...] = [sample.window.label for sample in work]
        out[...] = 0
        for crop, sample in zip(out, work, strict=True):
            self._load_window(sample, crop)
        return [out, labels]

    def close(self) -> None:
        self._files = {}

    def _check(self) -> None:
        config, crop = self.config, self._transform.crop_size
        self.check_top_count((2,))
        self.check_batch_size(config.batch_size, "window_data_param")
        if crop < 1:
            raise self.error(
                f"crop_size is {crop}",
                "set transform_param { crop_size: N }, the size windows are warped to",
                field="transform_param.crop_size",
            )
        row = (3, crop, crop)
        check_record(config, f"crop_size is {crop}", row, "transform_param.crop_size")
        check_batch(config, config.batch_size, [row, ()], PLANNED_BYTES)
        if config.crop_mode not in ("warp", "square"):
            raise self.error(
                f"crop_mode is '{config.crop_mode}'", 'use "warp" or "square"', field="crop_mode"
            )
        if not 0 <= config.context_pad < crop / 2:
            raise self.error(
                f"context_pad is {config.context_pad} and crop_size {crop}: "
                "nothing is left between the padding",
                "context_pad is less than half of crop_size",
                field="context_pad",
            )
        if not 0 <= config.fg_fraction <= 1:
            raise self.error(
                f"fg_fraction is {config.fg_fraction}; 0 to 1 was expected", field="fg_fraction"
            )
        if self._transform.scale != 1:
            self.notes(SCALE_UNREAD())

    def _split(self, windows: list[Window]) -> None:
        """Sort windows into foreground and background; what lies between is not used."""
        config = self.config
        high, low = np.float32(config.fg_threshold), np.float32(config.bg_threshold)
        self._foreground: list[Window] = []
        self._background: list[Window] = []
        for window in windows:
            overlap = np.float32(window.overlap)
            if overlap >= high:
                if window.label < 1:
                    raise self.error(
                        f"a foreground window of '{self._images[window.image].path}' has "
                        f"class {window.label} ({config.source})",
                        "classes of windows that overlap an object count from 1",
                    )
                self._foreground.append(window)
            elif overlap < low:
                self._background.append(
                    Window(window.image, 0, 0.0, window.x1, window.y1, window.x2, window.y2)
                )
        for name, pool in (("foreground", self._foreground), ("background", self._background)):
            if not pool:
                raise self.error(
                    f"'{config.source}' has no {name} window",
                    "windows with overlap of at least fg_threshold are foreground, "
                    "those below bg_threshold background",
                    field="source",
                )
        self.notes(IMAGES(count=len(self._images)))
        counts = Counter(window.label for window in self._foreground)
        counts[0] = len(self._background)
        for label in sorted(counts):
            self.notes(SAMPLES(label=label, count=counts[label]))

    def _read_mean(self, root: Path) -> np.ndarray | None:
        """The mean of every pixel of the crop: (3, crop, crop) or (3, 1, 1)."""
        transform, crop = self._transform, self._transform.crop_size
        if transform.mean_file and transform.mean_value:
            raise self.error(
                "both mean_file and mean_value are given",
                "keep one of the two",
                field="transform_param.mean_file",
            )
        if transform.mean_value:
            if len(transform.mean_value) not in (1, 3):
                raise self.error(
                    f"{len(transform.mean_value)} mean_value given; 1 or 3 expected",
                    field="transform_param.mean_value",
                )
            return np.asarray(transform.mean_value, np.float32)[:, np.newaxis, np.newaxis]
        if not transform.mean_file:
            return None
        mean = read_mean(root / transform.mean_file, self.config.at("transform_param.mean_file"))
        begin = (mean.shape[2] - crop) // 2
        if mean.shape[0] != 3 or begin < 0 or begin + crop > mean.shape[1]:
            raise self.error(
                f"mean file '{transform.mean_file}' is "
                f"{shape_text(mean.shape)}; 3 channels of at least "
                f"{crop} x {crop} were expected",
                field="transform_param.mean_file",
            )
        return mean[:, begin : begin + crop, begin : begin + crop]

    def _read_file(self, image: int) -> bytes:
        listed = self._images[image]
        path = self._folder / (self.config.root_folder + listed.path)
        try:
            return read_regular(path, self.config.place)
        except FileNotFoundError as error:
            named_in = f"{self.config.source}, line {listed.line}"
            lost = missing("image", listed.path, named_in=named_in, at=str(path))
            raise self.error(lost.message, lost.hint) from error
        except OSError as error:
            raise self.error(
                f"cannot read image '{listed.path}' ({self.config.source}, line "
                f"{listed.line}): {error}",
            ) from error

    def _load_window(self, sample: Sample, out: np.ndarray) -> None:
        """Fill a (3, crop, crop) array of zeros with a window."""
        number = sample.window.image
        data = self._files[number] if number in self._files else self._read_file(number)
        listed = self._images[number]
        try:
            pixels = decode_image(data, "color", self.config.place)
        except ImageError as error:
            raise self.error(
                f"cannot decode image '{listed.path}' ({self.config.source}, line "
                f"{listed.line}): {error}",
            ) from error
        height, width = pixels.shape[:2]
        region = place_window(
            sample,
            height,
            width,
            self._transform.crop_size,
            self.config.context_pad,
            self.config.crop_mode == "square",
        )
        if not (0 <= region.x1 <= region.x2 < width and 0 <= region.y1 <= region.y2 < height):
            window = sample.window
            raise self.error(
                f"window ({window.x1}, {window.y1}, {window.x2}, {window.y2}) does "
                f"not lie in image '{listed.path}', which is {height} high and "
                f"{width} wide ({self.config.source})",
            )
        if region.height < 1 or region.width < 1:
            return
        part = resize_image(
            pixels[region.y1 : region.y2 + 1, region.x1 : region.x2 + 1],
            region.height,
            region.width,
        )
        if sample.mirror:
            part = part[:, ::-1]
        rows = slice(region.top, region.top + region.height)
        columns = slice(region.left, region.left + region.width)
        target = out[:, rows, columns]
        target[...] = part.transpose(2, 0, 1)
        if self._mean is not None:
            target -= self._mean if self._mean.shape[1] == 1 else self._mean[:, rows, columns]
        if self.config.scale != 1:
            target *= np.float32(self.config.scale)


def place_window(
    sample: Sample, height: int, width: int, crop: int, context_pad: int, square: bool
) -> PlacedRegion:
    """The region to cut from a picture of this size, in Caffe's float32 steps.

    With context the window grows so that after warping ``context_pad`` pixels surround
    it; what then lies outside the picture stays zero in the crop.
    """
    window = sample.window
    x1, y1, x2, y2 = window.x1, window.y1, window.x2, window.y2
    if not context_pad and not square:
        return PlacedRegion(x1, y1, x2, y2, crop, crop, 0, 0)
    grow = np.float32(crop) / np.float32(crop - 2 * context_pad)
    half_height = np.float32((y2 - y1 + 1) / 2)
    half_width = np.float32((x2 - x1 + 1) / 2)
    center_x = np.float32(x1) + half_width
    center_y = np.float32(y1) + half_height
    if square:
        half_height = half_width = max(half_height, half_width)
    x1, x2 = _round(center_x - half_width * grow), _round(center_x + half_width * grow)
    y1, y2 = _round(center_y - half_height * grow), _round(center_y + half_height * grow)
    if x2 < x1 or y2 < y1:  # its corners are the wrong way round: for the caller to tell
        return PlacedRegion(x1, y1, x2, y2, 0, 0, 0, 0)
    scale_x = np.float32(crop) / np.float32(x2 - x1 + 1)
    scale_y = np.float32(crop) / np.float32(y2 - y1 + 1)
    left, top = max(0, -x1), max(0, -y1)
    right, bottom = max(0, x2 - width + 1), max(0, y2 - height + 1)
    x1, y1, x2, y2 = x1 + left, y1 + top, x2 - right, y2 - bottom
    new_width = _round(np.float32(x2 - x1 + 1) * scale_x)
    new_height = _round(np.float32(y2 - y1 + 1) * scale_y)
    at_left = _round(np.float32(right if sample.mirror else left) * scale_x)
    at_top = _round(np.float32(top) * scale_y)
    return PlacedRegion(
        x1,
        y1,
        x2,
        y2,
        min(new_height, crop - at_top),
        min(new_width, crop - at_left),
        at_left,
        at_top,
    )


def _round(value: np.float32) -> int:
    """C's round: halves go away from zero."""
    number = float(value)
    return int(math.copysign(math.floor(abs(number) + 0.5), number))
