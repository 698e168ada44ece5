"""VideoData of temporal segment networks: frames of clips, which are folders of pictures.

yjxiong/caffe: src/caffe/layers/video_data_layer.cpp and src/caffe/util/io.cpp.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from ..clip_list import ListedClip, read_clip_list
from ..config import Axis, KnownAxes, OpenOptions, SourceConfig, TransformConfig
from ..draws import SEGMENT
from ..epochs import Epochs
from ..frame_names import frame_name, pattern_mistake
from ..image_codec import Color, channel_major, resize_image
from ..listed_pictures import ListedPictures
from ..new_size import check_new_size
from ..notes import NoteKind
from ..picture_source import PictureSource
from ..room import PLANNED_BYTES, check_batch, check_record
from ..transform import Transformer

_ORIGIN = "video_data_layer.cpp"
OPENING = NoteKind(_ORIGIN, "Opening file: {path}", line=34)
TOTAL = NoteKind(_ORIGIN, "A total of {count} videos.", line=50)
SIZE = NoteKind(_ORIGIN, "output data size: {shape}", line=90)

Modality: TypeAlias = Literal["RGB", "FLOW"]
_PATTERNS: dict[Modality, str] = {"RGB": "image_%04d.jpg", "FLOW": "flow_%c_%04d.jpg"}
_UNREAD = ("mean_file", "crop_size", "mirror", "scale")


@dataclass(frozen=True, kw_only=True)
class ClipDataConfig(SourceConfig):
    """VideoData of TSN: of each clip, ``new_length`` frames from each of ``num_segments`` parts.

    A frame is a picture in colours (RGB), or two in grey: flow along x and along y (FLOW).
    ``mean_file``, ``crop_size``, ``mirror`` and ``scale`` are read from transform_param alone.
    """

    kind = "VideoData"
    reads = "clip list"
    labelled = True
    told_by = "source"
    mean_groups = True

    batch_size: int = 0
    shuffle: bool = False
    new_height: int = 0
    new_width: int = 0
    new_length: int = 1
    num_segments: int = 1
    modality: Modality = "FLOW"
    name_pattern: str = ""
    grayscale: bool = False
    scale: float = 1.0
    mean_file: str = ""
    crop_size: int = 0
    mirror: bool = False
    prefetch: int = 4

    @property
    def planes(self) -> int:
        """Channels of a frame."""
        return 2 if self.modality == "FLOW" else 1 if self.grayscale else 3

    @property
    def channels(self) -> int:
        """Channels of what is read of a clip."""
        return self.planes * self.new_length * self.num_segments

    def missing(self) -> str | None:
        if lost := super().missing():
            return lost
        first = read_clip_list(Path(self.source), self.at("source"))[0]
        return None if Path(first.folder).exists() else f"clip '{first.folder}'"

    def known_axes(self) -> KnownAxes:
        fields = ("modality", "new_length", "num_segments")
        if not (self.new_height and self.new_width):
            return KnownAxes((self.channels, None, None), fields)
        size = (self.new_height, self.new_width)
        return KnownAxes((self.channels, *size), (*fields, "new_height", "new_width"))

    def beside(self, images: tuple[Axis, ...]) -> list[tuple[Axis, ...]]:
        return [(images[0], 1, 1, 1)]

    def open(self, options: OpenOptions) -> ClipSource:
        return ClipSource(self, options)


class ClipSource(PictureSource[ListedClip]):
    """Batches of consecutive clips. Of each part of a clip, frames that follow each other are read:
    in TRAIN from a random one on, in TEST those in the middle."""

    label_shape = (1, 1, 1)
    evens_out = "set new_height and new_width, or crop_size, or use batch_size: 1"

    def __init__(self, config: ClipDataConfig, options: OpenOptions) -> None:
        super().__init__(config, options, config.batch_size)
        self.config = config
        self._train = options.phase == "TRAIN"
        self._pattern = config.name_pattern or _PATTERNS[config.modality]
        self.check_top_count((2,))
        self.check_batch_size(config.batch_size, "video_data_param")
        self._check()
        self.transformer = Transformer(config, options, self.draws)
        list_path = options.root / config.source
        self._pictures = ListedPictures(config, options.root, "", list_path)
        self.notes(OPENING(path=config.source))
        clips = read_clip_list(list_path, config.at("source"))
        self.notes(TOTAL(count=len(clips)))
        self._clips = Epochs(clips, self.draws, config.shuffle)
        sizes = self.next_sizes()
        check_batch(config, config.batch_size, [sizes, ()], PLANNED_BYTES)
        self.notes(SIZE(shape=",".join(map(str, (config.batch_size, *sizes)))))

    def take(self, number: int) -> ListedClip:
        return self._clips[number]

    def pixels(self, entry: ListedClip, number: int) -> np.ndarray:
        """Segment by segment, frame by frame."""
        out: np.ndarray | None = None
        done = 0
        for start in self._starts(entry, number):
            for frame in range(start + 1, start + 1 + self.config.new_length):
                for planes in self._frame(entry, frame):
                    if out is None:
                        shape = (self.config.channels, *planes.shape[1:])
                        check_record(self.config, self._asked(), shape, "new_length")
                        out = np.empty(shape, np.uint8)
                    elif out.shape[1:] != planes.shape[1:]:
                        raise self.error(
                            f"frame {frame} of {self.name(entry)} is {planes.shape[1]} high and "
                            f"{planes.shape[2]} wide, the first that is read {out.shape[1]} and "
                            f"{out.shape[2]}",
                            "new_height and new_width resize all to one size",
                        )
                    out[done : done + len(planes)] = planes
                    done += len(planes)
        assert out is not None  # new_length and num_segments are at least 1
        return out

    def label(self, entry: ListedClip) -> int:
        return entry.label

    def name(self, entry: ListedClip) -> str:
        return f"clip '{entry.folder}' ({self.config.source}, line {entry.line})"

    def next_sizes(self) -> tuple[int, int, int]:
        """By the clip's first frame."""
        number = self.next_numbers().start
        clip = self._clips[number]
        start = next(self._starts(clip, number))
        _, height, width = next(self._frame(clip, start + 1)).shape
        return self.transformer.output_shape((self.config.channels, height, width), self.name(clip))

    # --- clips ------------------------------------------------------------------------

    def _starts(self, clip: ListedClip, number: int) -> Iterator[int]:
        """How many frames stand before those that are read, for each segment."""
        config = self.config
        length = max(0, clip.frames) // config.num_segments
        spare = length - config.new_length
        for segment in range(config.num_segments):
            if spare < 0:
                yield 0
                continue
            drawn = (spare + 1) // 2
            if self._train:
                drawn = self.draws.word(SEGMENT, number, segment) % (spare + 1)
            yield drawn + segment * length

    def _frame(self, clip: ListedClip, frame: int) -> Iterator[np.ndarray]:
        """The pictures of a frame, counted from 1: each (channels, height, width)."""
        if self.config.modality == "FLOW":
            for letter in "xy":
                yield self._picture(clip, frame_name(self._pattern, letter, frame), "gray")
        else:
            color: Color = "gray" if self.config.grayscale else "color"
            yield self._picture(clip, frame_name(self._pattern, frame), color)

    def _picture(self, clip: ListedClip, name: str, color: Color) -> np.ndarray:
        pixels = self._pictures.read(f"{clip.folder}/{name}", clip.line, color)
        if self.config.new_height:
            pixels = resize_image(pixels, self.config.new_height, self.config.new_width)
        return channel_major(pixels)

    def _asked(self) -> str:
        return f"new_length is {self.config.new_length} and num_segments {self.config.num_segments}"

    def _check(self) -> None:
        config = self.config
        for field in ("new_length", "num_segments"):
            if getattr(config, field) < 1:
                raise self.error(f"{field} is {getattr(config, field)}", "at least 1", field=field)
        for field in _UNREAD:
            if getattr(config, field) != getattr(ClipDataConfig, field):
                raise self.error(
                    f"{field} is not read from this block, in the fork neither",
                    f"set it in transform_param {{ {field}: ... }}",
                    field=field,
                )
        kinds = "cd" if config.modality == "FLOW" else "d"
        if mistake := pattern_mistake(self._pattern, kinds):
            raise self.error(
                f"name_pattern '{self._pattern[:80]}': {mistake}",
                f"such as {_PATTERNS[config.modality]}",
                field="name_pattern",
            )
        transform = config.transform or TransformConfig()
        for field in ("resize_param", "noise_param"):
            if getattr(transform, field) is not None:
                raise config.error(
                    f"{field} is of the VideoData that reads a video_file",
                    f"transform_param.{field}",
                    "new_height and new_width resize the frames of clips",
                )
        check_new_size(config, not config.grayscale, config.new_height, config.new_width)
        check_record(config, self._asked(), (config.channels, 1, 1), "new_length")
