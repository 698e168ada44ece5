"""MobileFaceNet (Laulian/MxNet2Caffe-mobilefacenet): how alike the faces in pictures are.

The faces are those that MTCNN finds. What is done to a picture is in check_output.py there; where
eyes, nose and mouth are to be, in deepinsight/insightface.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.forms.makers import Run

from .mtcnn import Mtcnn, faces
from .pictures import pictures_in
from .task import Found

EDGE = 112
PLACES = np.array([(38.3, 51.7), (73.5, 51.5), (56.0, 71.7), (41.5, 92.4), (70.7, 92.2)])
ALIKE = 0.5


class Likeness:
    name = "MobileFaceNet, faces of MTCNN"
    nets = (*Mtcnn.nets, "mobilefacenet")
    unit = "a cosine"

    def find(self, nets: Mapping[str, Run], folder: Path) -> Sequence[Found]:
        """Of each face with all, and with what it is in a mirror."""
        found = []
        for picture in pictures_in(folder):
            found += [_upright(picture, row[5:]) for row in faces(nets, picture)]
        both = np.array([side for face in found for side in (face, face[:, ::-1])])
        data = (both.transpose(0, 3, 1, 2) - 127.5) / 128
        (result,) = nets["mobilefacenet"]({"data": data.astype(np.float32)}).values()
        vectors = result / np.linalg.norm(result, axis=1, keepdims=True)
        alike = vectors @ vectors.T
        pairs = tuple(map(tuple, np.argwhere(np.triu(alike > ALIKE, 1)).tolist()))
        return [Found(pairs, alike)]

    def told(self, found: Sequence[Found]) -> str:
        count = len(found[0].numbers)
        return f"{count} faces, half of them mirrored: {len(found[0].words)} pairs alike"


def _upright(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Turned, moved and scaled so that the points come to their places."""
    x, y = points[:5], points[5:]
    # Where pixels of the result lie in the picture: (a, -b; b, a) and an offset, least squares.
    ones, zeros = np.ones(5), np.zeros(5)
    rows = np.vstack(
        [
            np.stack([PLACES[:, 0], -PLACES[:, 1], ones, zeros], 1),
            np.stack([PLACES[:, 1], PLACES[:, 0], zeros, ones], 1),
        ]
    )
    a, b, dx, dy = np.linalg.lstsq(rows, np.concatenate([x, y]), rcond=None)[0]
    whole = Image.fromarray(picture.astype(np.uint8))
    turned = whole.transform(
        (EDGE, EDGE), Image.Transform.AFFINE, (a, -b, dx, b, a, dy), Image.Resampling.BILINEAR
    )
    return np.asarray(turned, np.float32)
