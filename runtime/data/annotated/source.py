"""Batches of pictures with boxes, and SSD's random windows of them.

weiliu89/caffe: src/caffe/layers/annotated_data_layer.cpp, src/caffe/data_transformer.cpp.

A picture is distorted, put on a larger canvas, cropped to a sampled window, resized, given noise,
cropped, mirrored and scaled, and its boxes go with it. Pictures that are stored as files are
written and read as JPEG after each of the first three steps: what a net learns has these traces.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from roastery.wire.encoding import WireError

from ...logging.records import Severity
from ..annotated_datum import BOXED, AnnotatedDatum, is_annotated, parse_annotated
from ..augment.distort import distort_colours
from ..augment.expand import on_canvas
from ..boxes.boxes import ObjectBoxes
from ..boxes.tops import BoxRows, BoxTops, YoloRows
from ..config import OpenOptions
from ..database import Record
from ..image_codec import ImageError, decode_image, encode_image
from ..notes import NoteKind
from ..planned import Allocate
from ..record_source import PicturesOfBatch, RecordBatch, RecordSource, name_of
from ..room import PLANNED_BYTES, check_batch
from ..source import Shape
from ..transform import Choices
from .arranged import ArrangedPicture, arranged_raw, part_of
from .arranging import Arranging
from .checks import check_settings
from .masks import PixelMasks, mask_size, read_masks
from .settings import AnnotatedSettings

_ORIGIN = "annotated_data_layer.cpp"
SIZE = NoteKind(_ORIGIN, "output data size: {shape}")
SHADOWED = NoteKind(
    _ORIGIN, "type stored in AnnotatedDatum is shadowed.", severity=Severity.WARNING
)
RESTARTING = NoteKind("data_reader.cpp", "Restarting data prefetching from start.")
UNDISTORTED = NoteKind(
    "data_transformer.cpp", "Only support encoded datum now", severity=Severity.WARNING
)


class AnnotatedSource(RecordSource):
    """Batches of pictures, and one row for each box of them."""

    restarting = RESTARTING
    annotation_types: ClassVar[tuple[int, ...]] = BOXED
    _boxed = False
    """Whether the first record, once it was read, or the layer says that there are boxes."""
    evens_out = (
        "set resize_param { height: H width: W } (not FIT_SMALL_SIZE), or use batch_size: 1; "
        "force_color or force_gray evens out the channels of encoded images"
    )

    def __init__(self, config: AnnotatedSettings, options: OpenOptions) -> None:
        self.config = config
        super().__init__(config, options)
        self._shaped: tuple[RecordBatch, list[Shape]] | None = None
        try:
            self._transform = self.transformer.config
            self._arranging = Arranging(config, self.transformer, self.draws, options.schedule)
            check_settings(config)
            annotated = self._parse(self.upcoming)
            self._boxed = annotated.type is not None or config.anno_type is not None
            if len(self.tops) > 1 and config.anno_type is not None:
                self.notes(SHADOWED())
            self._box_tops = self.box_tops() if self._boxed else None
            self._masks = self._pixel_masks(options) if config.masked else None
            choices = self.transformer.choose(range(1))
            image, arranged = self.picture(annotated, self.upcoming, choices, 0, 0)
            sizes = self.transformer.output_shape(image.shape, name_of(self.upcoming))
            self._check_room(image, sizes)
            if self._masks is not None:
                self._mask(annotated, self.upcoming, arranged, choices, 0, sizes[1:])
            if not annotated.datum.encoded:
                self.note_raw()
                if self._transform.distort_param is not None:
                    self.notes(UNDISTORTED())
        except BaseException:
            self.database.close()
            raise
        self.notes(SIZE(shape=",".join(map(str, (config.batch_size, *sizes)))))

    def top_counts(self) -> tuple[int, ...]:
        return 1, 2, 3

    def box_tops(self) -> BoxTops:
        """How boxes are written."""
        return YoloRows() if self.config.yolo_data_type == 1 else BoxRows()

    def next_shapes(self) -> list[Shape]:
        """How many boxes there will be, every record of the batch tells."""
        work = self.peek()
        if self._shaped is None or self._shaped[0] is not work:
            self._shaped = work, self._shapes_of(work)
        return list(self._shaped[1])

    def load(self, work: RecordBatch, allocate: Allocate) -> list[np.ndarray]:
        found: list[ObjectBoxes] = []
        labels: list[int] = []
        masks: list[np.ndarray] = []
        pictures = PicturesOfBatch(self, work, allocate)
        for index, record in enumerate(work.records):
            annotated = self._parse(record)
            number = work.numbers[index]
            image, arranged = self.picture(annotated, record, work.choices, index, number)
            found.append(arranged.boxes)
            labels.append(annotated.datum.label)
            sizes = pictures.add(image)
            if self._masks is not None:
                size = sizes[1:]
                masks.append(self._mask(annotated, record, arranged, work.choices, index, size))
        arrays = [
            allocate(shape) for shape in self._beside(len(labels), sum(map(len, found)), sizes)
        ]
        if self._masks is not None:
            np.stack(masks, out=arrays[-1])
        if arrays and self._box_tops is not None:
            self._box_tops.write(found, arrays[: len(arrays) - (self._masks is not None)])
        elif arrays:
            arrays[0][...] = np.reshape(labels, arrays[0].shape)
        return [pictures.top, *arrays]

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
            found = parse_annotated(data, self.annotation_types)
        except WireError as error:
            raise self.unreadable(record, f"is not an AnnotatedDatum: {error}") from error
        wanted = len(self.tops) > 1 and self.config.anno_type is None
        if wanted and self._boxed and found.type is None:
            raise self.unreadable(
                record,
                "has no type of annotation, although the first record has",
                "set annotated_data_param { anno_type: BBOX } if it has boxes all the same",
            )
        return found

    def picture(
        self, annotated: AnnotatedDatum, record: Record, choices: Choices, index: int, number: int
    ) -> tuple[np.ndarray, ArrangedPicture]:
        """Values of a record as (channels, height, width), ready to be cropped, and what became of
        it, with its boxes."""
        datum = annotated.datum
        try:
            if not datum.encoded:
                values = datum.array()
                arranged = self._arranging.arranged(
                    annotated.boxes, values.shape[1:], choices, index, number
                )
                values = arranged_raw(values, arranged)
                return self.transformer.prepared_raw(values, number), arranged
            pixels = decode_image(datum.data, self.color, self.config.place)
            arranged = self._arranging.arranged(
                annotated.boxes, pixels.shape[:2], choices, index, number
            )
            pixels = self._augmented(pixels, arranged, number)
            return self.transformer.prepared(pixels, number), arranged
        except WireError as error:
            raise self.unreadable(record, f"cannot be used: {error}") from error
        except ImageError as error:
            raise self.unreadable(record, f"holds an image that cannot be used: {error}") from error

    def _augmented(self, pixels: np.ndarray, arranged: ArrangedPicture, number: int) -> np.ndarray:
        """The pixels of a picture that is stored as a file, after SSD's random steps."""
        transform = self._transform
        if transform.distort_param is not None:
            pixels = distort_colours(pixels, transform.distort_param, self.draws, number)
            pixels = self._as_jpeg(pixels)
        if arranged.canvas is not None:
            pixels = self._as_jpeg(on_canvas(pixels, arranged.canvas, transform.mean_value))
        part = arranged.part
        if part is not None:
            pixels = self._as_jpeg(part.of(pixels))
        return pixels

    def _as_jpeg(self, pixels: np.ndarray) -> np.ndarray:
        return decode_image(encode_image(pixels, "jpg"), self.color, self.config.place)

    def _mask(
        self,
        annotated: AnnotatedDatum,
        record: Record,
        arranged: ArrangedPicture,
        choices: Choices,
        index: int,
        size: tuple[int, int],
    ) -> np.ndarray:
        """Masks of a picture that comes out at this height and width: (classes, height, width)."""
        assert self._masks is not None
        wanted = mask_size(self.config, size)
        if not len(annotated.datum.seg_label):
            raise self.unreadable(
                record,
                "holds no labels of pixels (seg_label)",
                "leave the third top out, or make the database with convert_annoset of "
                "MobileNet-YOLO",
            )
        try:
            labels = decode_image(annotated.datum.seg_label, "gray", self.config.place)
        except ImageError as error:
            raise self.unreadable(record, f"holds labels of pixels, but {error}") from error
        if arranged.window is not None:
            labels = part_of(arranged.window, *labels.shape[:2]).of(labels)
        masks = self._masks.of(labels, wanted)
        if choices.mirror is not None and choices.mirror[index]:
            masks = masks[..., ::-1]
        return masks

    def _pixel_masks(self, options: OpenOptions) -> PixelMasks:
        """What the third top says."""
        return read_masks(self.config, options.root)

    # --- shapes -----------------------------------------------------------------------

    def _shapes_of(self, work: RecordBatch) -> list[Shape]:
        records = [self._parse(record) for record in work.records]
        image, first = self.picture(records[0], work.records[0], work.choices, 0, work.numbers[0])
        sizes = self.transformer.output_shape(image.shape, name_of(work.records[0]))
        count = len(first.boxes)
        if len(self.tops) > 1 and self._box_tops is not None and self._box_tops.one_row_each:
            for index, annotated in enumerate(records[1:], 1):
                count += self._box_count(annotated, work, index)
        return [(len(records), *sizes), *self._beside(len(records), count, sizes)]

    def _box_count(self, annotated: AnnotatedDatum, work: RecordBatch, index: int) -> int:
        """How many boxes a record comes out with; its pixels are only read where it does not say
        how large it is."""
        datum, number = annotated.datum, work.numbers[index]
        if not len(annotated.boxes):
            return 0
        if min(datum.height, datum.width) < 1:
            record = work.records[index]
            return len(self.picture(annotated, record, work.choices, index, number)[1].boxes)
        size = datum.height, datum.width
        try:
            return len(
                self._arranging.arranged(annotated.boxes, size, work.choices, index, number).boxes
            )
        except ImageError as error:
            raise self.unreadable(work.records[index], f"cannot be used: {error}") from error

    def _beside(self, records: int, boxes: int, sizes: tuple[int, int, int]) -> list[Shape]:
        """Shapes of the tops beside pictures of so many channels, rows and columns."""
        if len(self.tops) == 1:
            return []
        shapes: list[Shape] = [(records, 1, 1, 1)]
        if self._box_tops is not None:
            shapes = self._box_tops.shapes(records, boxes, sizes[1:])
        if self._masks is not None:
            high, wide = map(int, self.config.mask_size((0, *sizes)))
            shapes.append((records, self._masks.count, high, wide))
        return shapes

    def _check_room(self, image: np.ndarray, sizes: tuple[int, int, int]) -> None:
        """Refuse a batch of the largest size that does not fit into memory."""
        channels, height, width = sizes
        if not max(self.transformer.crop):
            for size in self._transform.sizes:
                if (
                    size.resize_mode != "FIT_SMALL_SIZE"
                    and size.height * size.width > height * width
                ):
                    height, width = size.height, size.width
        largest = channels, height, width
        beside = [shape[1:] for shape in self._beside(1, 1, largest)] or [(_A_LABEL,)]
        kept = image.nbytes if self.database.backend == "LEVELDB" else 0
        check_batch(self.config, self.config.batch_size, [largest, *beside], PLANNED_BYTES + kept)


_A_LABEL = 8
"""Values that are reckoned with for a picture's boxes."""
