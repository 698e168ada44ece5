"""Batches of pictures on grey squares with labels for the cells of grids: caffe_yolo.

foss-for-synopsys-dwc-arc-processors/synopsys-caffe: src/caffe/layers/annotated_data_layer.cpp,
src/caffe/data_transformer.cpp (Transform_Yolo). The picture is distorted, expanded and cropped as
SSD's first; crop_size, mean values, noise and mirror change nothing: every other picture is
mirrored, in both phases.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...logging.records import Severity
from ..annotated_datum import AnnotatedDatum
from ..augment.exposure import coloured, drawn_colouring, exposure_mistake
from ..augment.placing import drawn_placement, placed_picture
from ..augment.settings import ResizeConfig
from ..augment.size_choice import BATCHES_PER_SIZE
from ..boxes.placed import placed
from ..boxes.tops import BoxTops, GridCells
from ..config import OpenOptions, TransformConfig
from ..database import Record
from ..draws import SIZE
from ..notes import NoteKind
from ..transform import Choices
from .arranged import ArrangedPicture
from .settings import AnnotatedSettings
from .source import AnnotatedSource

UNUSED = NoteKind(
    "data_transformer.cpp",
    "{field} changes nothing where caffe_yolo is true",
    severity=Severity.WARNING,
)

_CELL = 32
_LEAST_CELLS, _RANDOM_CELLS = 10, 10
"""A random square has 10 to 19 cells of 32 pixels along a side."""

_MOST_GRIDS = 6
_UNUSED = ("mirror", "crop_size", "crop_h", "crop_w", "mean_file", "mean_value", "noise_param")


class PlacedSource(AnnotatedSource):
    """Pictures as red, green and blue, from 0 to 1 if ``scale`` is 1/255."""

    def __init__(self, config: AnnotatedSettings, options: OpenOptions) -> None:
        transform = config.transform or TransformConfig()
        self._resize = _square(config, transform)
        self._distort = transform.distort_param
        self._scale = transform.scale
        mistake = exposure_mistake(self._distort) if self._distort is not None else None
        if mistake is not None:
            raise config.error(mistake, "transform_param.distort_param")
        plain = TransformConfig(
            force_color=transform.force_color,
            force_gray=transform.force_gray,
            distort_param=transform.distort_param,
            expand_param=transform.expand_param,
            emit_constraint=transform.emit_constraint,
            caffe_yolo=True,
        )
        for field in _UNUSED:
            if getattr(transform, field) != getattr(plain, field):
                options.notes(UNUSED(field=field))
        super().__init__(replace(config, transform=plain), options)

    def top_counts(self) -> tuple[int, ...]:
        return 1, 1 + len(self.config.side)

    def box_tops(self) -> BoxTops:
        return GridCells(len(self.config.side))

    def picture(
        self, annotated: AnnotatedDatum, record: Record, choices: Choices, index: int, number: int
    ) -> tuple[np.ndarray, ArrangedPicture]:
        image, arranged = super().picture(annotated, record, choices, index, number)
        if len(image) != 3:
            raise self.unreadable(
                record,
                f"holds a picture of {len(image)} channel{'s' if len(image) > 1 else ''}; "
                "caffe_yolo needs 3",
                "set transform_param { force_color: true } for pictures that are stored as files",
            )
        if annotated.type is None and self.config.anno_type is None:
            raise self.unreadable(
                record,
                "has no boxes, which caffe_yolo makes its labels of",
                "set annotated_data_param { anno_type: BBOX } if it has boxes all the same",
            )
        placement = drawn_placement(
            self._resize.jitter, image.shape[1:], self._side(number), self.draws, number
        )
        values = placed_picture(image[::-1], placement, self._scale)
        if self._distort is not None:
            values = coloured(values, drawn_colouring(self._distort, self.draws, number))
        if placement.mirrored:
            values = values[..., ::-1]
        easy = arranged.boxes.chosen(~arranged.boxes.difficult)  # as its convert_annoset keeps
        boxes = placed(easy, placement)
        return np.ascontiguousarray(values), replace(arranged, boxes=boxes)

    def _side(self, number: int) -> int:
        """Of the square of the picture with this number."""
        if not self.config.random:
            return self._resize.width
        change = self.transformer.batch_of(number) // BATCHES_PER_SIZE
        return (_LEAST_CELLS + self.draws.word(SIZE, change) % _RANDOM_CELLS) * _CELL


def _square(config: AnnotatedSettings, transform: TransformConfig) -> ResizeConfig:
    """The one resize_param; raises RoasteryError where it is none, or no square."""
    resize, field = transform.resize_param, "transform_param.resize_param"
    hint = "set resize_param { height: 416 width: 416 }: pictures are put on squares"
    if resize is None:
        raise config.error("caffe_yolo is given without resize_param", field, hint)
    if transform.further_resize_param:
        raise config.error("caffe_yolo is given with several resize_param", field, hint)
    if resize.height != resize.width or resize.width < _CELL:
        raise config.error(
            f"height is {resize.height} and width {resize.width}; caffe_yolo makes squares of at "
            f"least {_CELL} pixels",
            field,
            hint,
        )
    if not 0 <= resize.jitter < 1:
        raise config.error(f"jitter is {resize.jitter:g}", field, "from 0 to below 1")
    if len(config.side) > _MOST_GRIDS:
        raise config.error(f"side is given {len(config.side)} times", "side", "at most 6 grids")
    return resize
