"""AnnotatedData: pictures with boxes, of a database, and SSD's random windows of them.

weiliu89/caffe: src/caffe/layers/annotated_data_layer.cpp, src/caffe/data_transformer.cpp.

A picture is distorted, put on a larger canvas, cropped to a sampled window, resized, given noise,
cropped, mirrored and scaled, and its boxes go with it. Pictures that are stored as files are
written and read as JPEG after each of the first three steps: what a net learns has these traces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from roastery.wire.encoding import WireError

from ...logging.records import Severity
from ..annotated_datum import AnnotatedDatum, is_annotated, parse_annotated
from ..augment.distort import distort_colours, distort_mistake
from ..augment.expand import RAW_BACKGROUND, Canvas, drawn_canvas, on_canvas
from ..boxes.boxes import ObjectBoxes, clipped, mirrored
from ..boxes.emitting import emitted
from ..boxes.resized import rescaled, resized
from ..boxes.sampling import BatchSamplerConfig, check_samplers, sampled_window
from ..config import Axis, OpenOptions
from ..database import Record
from ..image_codec import ImageError, decode_image, encode_image
from ..notes import NoteKind
from ..planned import Allocate
from ..record_source import (
    PendingPictures,
    RecordBatch,
    RecordConfig,
    RecordSource,
    name_of,
)
from ..room import PLANNED_BYTES, check_batch
from ..source import Position, Shape
from ..transform import Choices

_ORIGIN = "annotated_data_layer.cpp"
SIZE = NoteKind(_ORIGIN, "output data size: {shape}")
SHADOWED = NoteKind(
    _ORIGIN, "type stored in AnnotatedDatum is shadowed.", severity=Severity.WARNING
)
RESTARTING = NoteKind("data_reader.cpp", "Restarting data prefetching from start.")
UNDISTORTED = NoteKind(
    "data_transformer.cpp", "Only support encoded datum now", severity=Severity.WARNING
)

_COLUMNS = 8
_YOLO_BOXES, _YOLO_COLUMNS = 300, 5
_GRID_NUMBERS = 7  # of a cell of a grid: two flags, a class and a box


@dataclass(frozen=True, kw_only=True)
class AnnotatedDataConfig(RecordConfig):
    """AnnotatedData: pictures with boxes, of an LMDB or LevelDB.

    ``anno_type`` replaces what records say of their annotations. ``label_map_file`` is not read,
    as in weiliu89/caffe: it is there for people.
    """

    kind = "AnnotatedData"
    made_up_label = -1.0
    annotated = True

    batch_sampler: tuple[BatchSamplerConfig, ...] = ()
    label_map_file: str = ""
    anno_type: str | None = None
    # Of MobileNet-YOLO and Synopsys' Caffe: for shapes alone, refused where data is read.
    yolo_data_type: int = 0
    single_class: bool = True
    seg_scales: int = 8
    seg_resize_width: int = 0
    seg_resize_height: int = 0
    side: tuple[int, ...] = ()

    def beside(self, images: tuple[Axis, ...]) -> list[tuple[Axis, ...]]:
        if self.side:
            return [(images[0], _GRID_NUMBERS * side * side) for side in self.side]
        boxes: tuple[Axis, ...] = (1, 1, 1, _COLUMNS)
        if self.yolo_data_type == 1:
            boxes = (images[0], 1, _YOLO_BOXES, _YOLO_COLUMNS)
        classes: Axis = 1 if self.single_class else "K"
        return [boxes, (images[0], classes, *self.mask_size(images))]

    def mask_size(self, images: tuple[Axis, ...]) -> tuple[Axis, ...]:
        """Height and width of MobileNet-YOLO's labels of pixels."""
        if self.seg_resize_height and self.seg_resize_width:
            return self.seg_resize_height, self.seg_resize_width
        scale = max(self.seg_scales, 1)
        return tuple(
            int(axis) // scale if str(axis).isdigit() else f"{axis}/{scale}" for axis in images[2:4]
        )

    def open(self, options: OpenOptions) -> AnnotatedSource:
        return AnnotatedSource(self, options)


@dataclass(frozen=True, slots=True)
class _Part:
    """Pixels of a picture: a window of it."""

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class _Arranged:
    """What becomes of one picture, and of its boxes, before a pixel is looked at.

    Attributes:
        canvas, part: what it is put on and what is cut from that, if that is done.
        boxes: as they come out.
    """

    canvas: Canvas | None
    part: _Part | None
    boxes: ObjectBoxes


@dataclass(frozen=True, slots=True)
class _Peeked:
    """The batch that comes next, where planning stood before it, and its shapes."""

    work: RecordBatch
    place: Position
    shapes: list[Shape]


class AnnotatedSource(RecordSource):
    """Batches of pictures, and one row for each box of them."""

    restarting = RESTARTING
    evens_out = (
        "set resize_param { height: H width: W } (not FIT_SMALL_SIZE), or use batch_size: 1; "
        "force_color or force_gray evens out the channels of encoded images"
    )

    def __init__(self, config: AnnotatedDataConfig, options: OpenOptions) -> None:
        super().__init__(config, options)
        self.config = config
        self._peeked: _Peeked | None = None
        try:
            self._transform = self.transformer.config
            self._check()
            annotated = self._parse(self.upcoming)
            self._boxed = annotated.type is not None or config.anno_type is not None
            if len(self.tops) > 1 and config.anno_type is not None:
                self.notes(SHADOWED())
            choices = self.transformer.choose(0, 1)
            image = self._image(annotated, self.upcoming, choices, 0, 0)[0]
            sizes = self.transformer.output_shape(image.shape, name_of(self.upcoming))
            kept = image.nbytes if self.database.backend == "LEVELDB" else 0
            check_batch(config, config.batch_size, [sizes, (_COLUMNS,)], PLANNED_BYTES + kept)
            if not annotated.datum.encoded:
                self.note_raw()
                if self._transform.distort_param is not None:
                    self.notes(UNDISTORTED())
        except BaseException:
            self.database.close()
            raise
        self.notes(SIZE(shape=",".join(map(str, (config.batch_size, *sizes)))))

    def plan_work(self) -> RecordBatch:
        if self._peeked is None:
            return super().plan_work()
        work, self._peeked = self._peeked.work, None
        return work

    def place_now(self) -> Position:
        return super().place_now() if self._peeked is None else dict(self._peeked.place)

    def move_to(self, position: Mapping[str, Any]) -> None:
        super().move_to(position)
        self._peeked = None

    def next_shapes(self) -> list[Shape]:
        """How many boxes there will be, every record of the batch tells."""
        if self._peeked is None:
            place = super().place_now()
            work = super().plan_work()
            self._peeked = _Peeked(work, place, [])
            self._peeked.shapes.extend(self._shapes_of(work))
        return list(self._peeked.shapes)

    def load(self, work: RecordBatch, allocate: Allocate) -> list[np.ndarray]:
        out: np.ndarray | None = None
        sizes: tuple[int, int, int] | None = None
        found: list[ObjectBoxes] = []
        labels: list[int] = []
        pending = PendingPictures(self.transformer, work.choices)
        for index, record in enumerate(work.records):
            annotated = self._parse(record)
            number = work.first + index
            image, boxes = self._image(annotated, record, work.choices, index, number)
            found.append(boxes)
            labels.append(annotated.datum.label)
            cropped = self.transformer.output_shape(image.shape, name_of(record))
            if out is None:
                sizes = cropped
                out = allocate((len(work.records), *cropped))
            elif cropped != sizes:
                raise self.uneven(work.records[0], sizes, record, cropped)
            pending.add(image, out)
        assert out is not None  # batch_size is at least 1
        if len(self.tops) == 1:
            return [out]
        rows = _rows(found) if self._boxed else np.array(labels, np.float32)
        second = allocate(self._label_shape(len(labels), sum(map(len, found))))
        second[...] = rows.reshape(second.shape)
        return [out, second]

    # --- one record -------------------------------------------------------------------

    def _parse(self, record: Record) -> AnnotatedDatum:
        data = self.read(record)
        if not is_annotated(data):
            raise self.unreadable(
                record,
                "is not an AnnotatedDatum",
                'databases of convert_imageset are read by layers of type: "Data"; '
                "create_annoset makes databases with boxes",
            )
        try:
            found = parse_annotated(data)
        except WireError as error:
            raise self.unreadable(record, f"is not an AnnotatedDatum: {error}") from error
        wanted = len(self.tops) > 1 and self.config.anno_type is None
        if wanted and getattr(self, "_boxed", False) and found.type is None:
            raise self.unreadable(
                record,
                "has no type of annotation, although the first record has",
                "set annotated_data_param { anno_type: BBOX } if it has boxes all the same",
            )
        return found

    def _image(
        self, annotated: AnnotatedDatum, record: Record, choices: Choices, index: int, number: int
    ) -> tuple[np.ndarray, ObjectBoxes]:
        """Values of a record as (channels, height, width), ready to be cropped, and its boxes."""
        datum = annotated.datum
        try:
            if not datum.encoded:
                values = datum.array()
                arranged = self._arranged(annotated, values.shape[1:], choices, index, number)
                values = _raw(values, arranged)
                return self.transformer.prepared_raw(values, number), arranged.boxes
            pixels = decode_image(datum.data, self.color, self.config.place)
            arranged = self._arranged(annotated, pixels.shape[:2], choices, index, number)
            pixels = self._augmented(pixels, arranged, number)
            return self.transformer.prepared(pixels, number), arranged.boxes
        except WireError as error:
            raise self.unreadable(record, f"cannot be used: {error}") from error
        except ImageError as error:
            raise self.unreadable(record, f"holds an image that cannot be used: {error}") from error

    def _augmented(self, pixels: np.ndarray, arranged: _Arranged, number: int) -> np.ndarray:
        """The pixels of a picture that is stored as a file, after SSD's random steps."""
        transform = self._transform
        if transform.distort_param is not None:
            pixels = distort_colours(pixels, transform.distort_param, self.draws, number)
            pixels = self._as_jpeg(pixels)
        if arranged.canvas is not None:
            pixels = self._as_jpeg(on_canvas(pixels, arranged.canvas, transform.mean_value))
        part = arranged.part
        if part is not None:
            rows = slice(part.top, part.top + part.height)
            pixels = pixels[rows, part.left : part.left + part.width]
            pixels = self._as_jpeg(np.ascontiguousarray(pixels))
        return pixels

    def _as_jpeg(self, pixels: np.ndarray) -> np.ndarray:
        return decode_image(encode_image(pixels, "jpg"), self.color, self.config.place)

    def _arranged(
        self,
        annotated: AnnotatedDatum,
        size: tuple[int, ...],
        choices: Choices,
        index: int,
        number: int,
    ) -> _Arranged:
        """What becomes of a picture of this height and width."""
        height, width = size
        boxes, transform = annotated.boxes, self._transform
        constraint, resize = transform.emit_constraint, transform.resize_param
        canvas = None
        if transform.expand_param is not None:
            canvas = drawn_canvas(transform.expand_param, height, width, self.draws, number)
        if canvas is not None:
            boxes = emitted(boxes, canvas.window, constraint)
            height, width = canvas.height, canvas.width
        window = sampled_window(boxes, self.config.batch_sampler, self.draws, number)
        part = None
        if window is not None:
            window = clipped(window)
            part = _part(window, height, width)
            boxes = emitted(boxes, window, constraint)
            height, width = part.height, part.width
        if resize is not None:
            boxes = resized(boxes, resize, height, width)
        high, wide = self.transformer.prepared_size(height, width)
        cropped = self._crop_window(high, wide, choices, index)
        boxes = emitted(boxes, cropped, constraint)
        if choices.mirror is not None and choices.mirror[index]:
            boxes = mirrored(boxes)
        if resize is not None:
            found = rescaled(boxes, resize, height, width, cropped)
            if isinstance(found, str):
                raise ImageError(found)
            boxes = found
        return _Arranged(canvas, part, boxes)

    def _crop_window(self, height: int, width: int, choices: Choices, index: int) -> np.ndarray:
        """What the last crop takes of a (height, width) picture, as a window."""
        crop = self.transformer.crop
        if crop[0] > height or crop[1] > width:
            return np.array([0, 0, 1, 1], np.float32)  # refused when the pixels are there
        top, left = self.transformer.corner(height, width, choices, index)
        bottom, right = top + (crop[0] or height), left + (crop[1] or width)
        ends = np.array([left, top, right, bottom], np.float32)
        window: np.ndarray = ends / np.array([width, height, width, height], np.float32)
        return window

    # --- shapes -----------------------------------------------------------------------

    def _shapes_of(self, work: RecordBatch) -> list[Shape]:
        records = [self._parse(record) for record in work.records]
        image, boxes = self._image(records[0], work.records[0], work.choices, 0, work.first)
        sizes = self.transformer.output_shape(image.shape, name_of(work.records[0]))
        data = (len(records), *sizes)
        if len(self.tops) == 1:
            return [data]
        count = len(boxes)
        if self._boxed:
            for index, annotated in enumerate(records[1:], 1):
                count += self._box_count(annotated, work, index)
        return [data, self._label_shape(len(records), count)]

    def _box_count(self, annotated: AnnotatedDatum, work: RecordBatch, index: int) -> int:
        """How many boxes a record comes out with; its pixels are only read where it does not say
        how large it is."""
        datum, number = annotated.datum, work.first + index
        if not len(annotated.boxes):
            return 0
        if min(datum.height, datum.width) < 1:
            return len(self._image(annotated, work.records[index], work.choices, index, number)[1])
        size = datum.height, datum.width
        try:
            return len(self._arranged(annotated, size, work.choices, index, number).boxes)
        except ImageError as error:
            raise self.unreadable(work.records[index], f"cannot be used: {error}") from error

    def _label_shape(self, records: int, boxes: int) -> Shape:
        return (1, 1, max(1, boxes), _COLUMNS) if self._boxed else (records, 1, 1, 1)

    def _check(self) -> None:
        """Refuse settings that no picture can meet."""
        check_samplers(self.config, self.config.batch_sampler)
        transform = self._transform
        if transform.distort_param is not None:
            mistake = distort_mistake(transform.distort_param)
            if mistake is not None:
                raise self.error(mistake[0], mistake[1], field="transform_param.distort_param")
        expand = transform.expand_param
        if expand is not None:
            if not 1 < expand.max_expand_ratio <= _MOST_EXPANDED:
                raise self.error(
                    f"max_expand_ratio is {expand.max_expand_ratio:g}",
                    f"more than 1, at most {_MOST_EXPANDED}; leave expand_param out to expand "
                    "nothing",
                    field="transform_param.expand_param",
                )
            if transform.mean_file:
                raise self.error(
                    "expand_param is given with a mean_file: pictures grow to sizes that it does "
                    "not have",
                    "give mean_value, one for each channel; the canvas gets it too",
                    field="transform_param.expand_param",
                )


_MOST_EXPANDED = 1000


def _part(window: np.ndarray, height: int, width: int) -> _Part:
    """The pixels of a window, at least one, of a (height, width) picture."""
    left, top, right, bottom = window * np.array([width, height, width, height], np.float32)
    first_row, first_column = min(int(top), height - 1), min(int(left), width - 1)
    return _Part(
        first_row,
        first_column,
        min(max(1, int(bottom - top)), height - first_row),
        min(max(1, int(right - left)), width - first_column),
    )


def _raw(values: np.ndarray, arranged: _Arranged) -> np.ndarray:
    """(channels, height, width) values on their canvas, and the part of that."""
    canvas, part = arranged.canvas, arranged.part
    if canvas is not None:
        channels, height, width = values.shape
        out = np.full((channels, canvas.height, canvas.width), RAW_BACKGROUND, values.dtype)
        rows = slice(canvas.top, canvas.top + height)
        out[:, rows, canvas.left : canvas.left + width] = values
        values = out
    if part is not None:
        rows = slice(part.top, part.top + part.height)
        values = values[:, rows, part.left : part.left + part.width]
    return values


def _rows(found: list[ObjectBoxes]) -> np.ndarray:
    """A row for each box of a batch; one of -1 where there is none."""
    blocks = [
        np.column_stack(
            [
                np.full(len(boxes), item),
                boxes.labels,
                boxes.instances,
                boxes.corners,
                boxes.difficult,
            ]
        ).astype(np.float32)
        for item, boxes in enumerate(found)
        if len(boxes)
    ]
    return np.concatenate(blocks) if blocks else np.full((1, _COLUMNS), -1, np.float32)
