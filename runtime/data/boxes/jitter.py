"""A random window of a picture that leaves out a little at its edges: yolo_data_jitter.

eric612/MobileNet-YOLO: src/caffe/util/sampler.cpp, GenerateJitterSamples.
"""

from __future__ import annotations

import numpy as np

from ir.philox import uniform

from ..draws import JITTER, Draws
from .boxes import whole_picture

_WHOLE, _HALF = np.float32(0.2), np.float32(0.4)
"""Below these a draw takes the whole picture, or half of the jitter."""

_ONE = np.float32(1)


def jittered_window(jitter: float, keep_form: bool, draws: Draws, number: int) -> np.ndarray:
    """The window for the picture with this number, (4,) float32.

    Args:
        jitter: the most that is left out of the width, and of the height, in parts of them.
        keep_form: leave out as much of the one as of the other.
    """
    drawn = uniform(draws.lanes(JITTER, number, 5))
    if drawn[0] < _WHOLE:
        return whole_picture()
    most = np.float32(jitter) / np.float32(2) if drawn[0] < _HALF else np.float32(jitter)
    wide = _ONE - drawn[1] * most
    high = wide if keep_form else _ONE - drawn[2] * most
    left, top = drawn[3] * (_ONE - wide), drawn[4] * (_ONE - high)
    return np.array([left, top, left + wide, top + high], np.float32)
