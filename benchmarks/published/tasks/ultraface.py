"""UltraFace (Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB): the faces in pictures.

The sizes of its boxes, its thresholds and what is done to a picture are those of its
caffe/ultra_face_caffe_inference.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.forms.makers import Run

from .boxes import kept
from .pictures import pictures_in, resized
from .task import Found

HEIGHT, WIDTH = 240, 320
CELLS = ((8, (10, 16, 24)), (16, (32, 48)), (32, (64, 96)), (64, (128, 192, 256)))
"""Pixels from one cell to the next, and the edges of its boxes."""
LEAST_SCORE, MOST_OVERLAP = 0.7, 0.3


def priors() -> np.ndarray:
    """Rows of the centre, width and height of all boxes, as parts of the picture."""
    rows = []
    for step, edges in CELLS:
        for y in range(-(-HEIGHT // step)):
            for x in range(-(-WIDTH // step)):
                centre = (x + 0.5) * step / WIDTH, (y + 0.5) * step / HEIGHT
                rows += [(*centre, edge / WIDTH, edge / HEIGHT) for edge in edges]
    return np.clip(np.array(rows, np.float32), 0, 1)


@dataclass
class UltraFace:
    name: str
    net: str
    unit = "a picture's edge, a score"

    @property
    def nets(self) -> tuple[str, ...]:
        return (self.net,)

    def find(self, nets: Mapping[str, Run], folder: Path) -> Sequence[Found]:
        return [self._faces(nets[self.net], picture) for picture in pictures_in(folder)]

    def _faces(self, run: Run, picture: np.ndarray) -> Found:
        data = (resized(picture, HEIGHT, WIDTH).transpose(2, 0, 1)[None] - 127) / 128
        results = run({"input": np.ascontiguousarray(data, np.float32)})
        prior, offsets = priors(), results["boxes"][0]
        centres = prior[:, :2] + 0.1 * offsets[:, :2] * prior[:, 2:]
        halves = prior[:, 2:] * np.exp(0.2 * offsets[:, 2:]) / 2
        scores = results["scores"][0, :, 1:]
        rows = np.hstack([centres - halves, centres + halves, scores])
        rows = rows[scores[:, 0] > LEAST_SCORE]
        return Found(numbers=rows[kept(rows, MOST_OVERLAP)])

    def told(self, found: Sequence[Found]) -> str:
        return f"{sum(len(each.numbers) for each in found)} faces in {len(found)} pictures"
