"""How a layer's settings and chance arrange a picture and its boxes."""

from __future__ import annotations

import numpy as np

from ..augment.expand import drawn_canvas
from ..augment.settings import ResizeConfig
from ..boxes.boxes import ObjectBoxes, clipped, mirrored
from ..boxes.emitting import emitted
from ..boxes.jitter import jittered_window
from ..boxes.resized import rescaled, resized
from ..boxes.sampling import sampled_window
from ..config import SolverSpan
from ..draws import Draws
from ..image_codec import ImageError
from ..transform import Choices, Transformer
from .arranged import ArrangedPicture, part_of
from .settings import AnnotatedSettings

_WARMUP = 20
"""The part of a solver's iterations in which difficult objects may be left out."""


class Arranging:
    """Canvas, window, size and boxes of every picture of one layer."""

    def __init__(
        self,
        config: AnnotatedSettings,
        transformer: Transformer,
        draws: Draws,
        schedule: SolverSpan,
    ) -> None:
        self._config = config
        self._transformer = transformer
        self._transform = transformer.config
        self._draws = draws
        self._schedule = schedule

    def arranged(
        self,
        boxes: ObjectBoxes,
        size: tuple[int, ...],
        choices: Choices,
        index: int,
        number: int,
    ) -> ArrangedPicture:
        """What becomes of a picture of this height and width, and of its boxes.

        ``index`` of the batch's ``choices``, ``number`` over all epochs.
        """
        height, width = size
        transform = self._transform
        constraint, resize = transform.emit_constraint, self._transformer.size_of(number)
        canvas = None
        if transform.expand_param is not None:
            canvas = drawn_canvas(transform.expand_param, height, width, self._draws, number)
        if canvas is not None:
            boxes = emitted(boxes, canvas.window, constraint)
            height, width = canvas.height, canvas.width
        whole = height, width
        window = self.window(boxes, resize, number)
        if window is not None:
            window = clipped(window)
            part = part_of(window, height, width)
            boxes = emitted(boxes, window, constraint)
            height, width = part.height, part.width
        if resize is not None:
            boxes = resized(boxes, resize, height, width)
        high, wide = self._transformer.prepared_size(height, width, number)
        cropped = self._crop_window(high, wide, choices, index)
        boxes = emitted(boxes, cropped, constraint)
        if choices.mirror is not None and choices.mirror[index]:
            boxes = mirrored(boxes)
        if resize is not None:
            found = rescaled(boxes, resize, height, width, cropped)
            if isinstance(found, str):
                raise ImageError(found)
            boxes = found
        if self._easy_alone(number):
            boxes = boxes.chosen(~boxes.difficult)
        return ArrangedPicture(canvas, window, whole, boxes)

    def window(
        self, boxes: ObjectBoxes, resize: ResizeConfig | None, number: int
    ) -> np.ndarray | None:
        """What is cut from the picture with this number; None: nothing."""
        if self._config.jitter:
            padded = resize is not None and resize.resize_mode == "FIT_LARGE_SIZE_AND_PAD"
            return jittered_window(self._config.jitter, padded, self._draws, number)
        return sampled_window(boxes, self._config.batch_sampler, self._draws, number)

    def _easy_alone(self, number: int) -> bool:
        """Whether difficult objects of the record with this number are left out.

        With ``difficult_label_warmup`` they are for a twentieth of the solver's iterations, and
        are not without a solver.
        """
        config, schedule = self._config, self._schedule
        if config.yolo_data_type != 1:
            return False
        if not config.train_diffcult:
            return True
        if not (config.difficult_label_warmup and schedule.max_iter):
            return False
        iteration = self._transformer.batch_of(number) // schedule.iter_size
        return iteration <= schedule.max_iter // _WARMUP

    def _crop_window(self, height: int, width: int, choices: Choices, index: int) -> np.ndarray:
        """What the last crop takes of a (height, width) picture, as a window."""
        crop = self._transformer.crop
        if crop[0] > height or crop[1] > width:
            return np.array([0, 0, 1, 1], np.float32)  # refused when the pixels are there
        top, left = self._transformer.corner(height, width, choices, index)
        bottom, right = top + (crop[0] or height), left + (crop[1] or width)
        ends = np.array([left, top, right, bottom], np.float32)
        window: np.ndarray = ends / np.array([width, height, width, height], np.float32)
        return window
