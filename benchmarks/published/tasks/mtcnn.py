"""MTCNN (kpzhang93/MTCNN_face_detection_alignment): the faces in pictures, by three nets.

The steps and their thresholds are those of code/codes/MTCNNv1/detect_face.m. Its arrays have their
axes the other way round, so that the nets see pictures with x before y.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path

import numpy as np

from benchmarks.forms.makers import Arrays, Run

from .boxes import kept
from .pictures import cut_out, pictures_in, resized
from .task import Found

CELL, STEP = 12, 2
SHRINKING = 0.709
LEAST_FACE = 40
THRESHOLDS = 0.6, 0.7, 0.7
BATCH = 64


class Mtcnn:
    name = "MTCNN (det1 to det3)"
    nets = ("mtcnn-det1", "mtcnn-det2", "mtcnn-det3")
    unit = "a pixel, a score"

    def find(self, nets: Mapping[str, Run], folder: Path) -> Sequence[Found]:
        return [Found(numbers=faces(nets, picture)) for picture in pictures_in(folder)]

    def told(self, found: Sequence[Found]) -> str:
        return f"{sum(len(each.numbers) for each in found)} faces in {len(found)} pictures"


def faces(nets: Mapping[str, Run], picture: np.ndarray) -> np.ndarray:
    """Rows of a box, a score and five points: x of eyes, nose and corners of the mouth, then y."""
    rows = _proposed(nets["mtcnn-det1"], picture)
    rows = _squares(_moved(rows[kept(rows, 0.7)]))
    results = _look(nets["mtcnn-det2"], picture, rows, 24)
    rows = _chosen(rows, results["prob1"][:, 1], results["conv5-2"], THRESHOLDS[1])
    rows = _squares(_moved(rows[kept(rows, 0.7)]))
    results = _look(nets["mtcnn-det3"], picture, rows, 48)
    points = np.repeat(rows[:, 2:4] - rows[:, :2], 5, axis=1) * results["conv6-3"]
    points += np.repeat(rows[:, :2], 5, axis=1)
    right = results["prob1"][:, 1] > THRESHOLDS[2]
    rows = _moved(_chosen(rows, results["prob1"][:, 1], results["conv6-2"], THRESHOLDS[2]))
    stay = kept(rows, 0.7, of_smaller=True)
    return np.hstack([rows, points[right]])[stay]


def _proposed(run: Run, picture: np.ndarray) -> np.ndarray:
    """What the first net says of the picture at all scales: boxes, scores, and where to move."""
    height, width = picture.shape[:2]
    scale, found = CELL / LEAST_FACE, [np.zeros((0, 9), np.float32)]
    while min(height, width) * scale >= CELL:
        small = resized(picture, ceil(height * scale), ceil(width * scale))
        results = run({"data": _normal(small[None])})
        scores = results["prob1"][0, 1]
        x, y = np.nonzero(scores > THRESHOLDS[0])
        low = np.stack([x, y], 1) * STEP
        rows = np.hstack(
            [
                low / scale,
                (low + CELL) / scale,
                scores[x, y][:, None],
                results["conv4-2"][0][:, x, y].T,
            ]
        )
        found.append(rows[kept(rows, 0.5)])
        scale *= SHRINKING
    return np.concatenate(found)


def _look(run: Run, picture: np.ndarray, rows: np.ndarray, edge: int) -> Arrays:
    """What a net says of the boxes, of so many at once that few batch sizes occur."""
    parts = [resized(cut_out(picture, row), edge, edge) for row in rows]
    parts += [np.zeros((edge, edge, 3), np.float32)] * (BATCH - len(rows) % BATCH)
    results = run({"data": _normal(np.array(parts))})
    return {name: array[: len(rows)] for name, array in results.items()}


def _normal(pictures: np.ndarray) -> np.ndarray:
    """As the nets take them: x before y."""
    return np.ascontiguousarray((pictures.transpose(0, 3, 2, 1) - 127.5) / 128, np.float32)


def _chosen(rows: np.ndarray, scores: np.ndarray, moves: np.ndarray, least: float) -> np.ndarray:
    found = scores > least
    return np.hstack([rows[found, :4], scores[found, None], moves[found]])


def _moved(rows: np.ndarray) -> np.ndarray:
    """By parts of their width and height."""
    edges = np.tile(rows[:, 2:4] - rows[:, :2], 2)
    return np.hstack([rows[:, :4] + edges * rows[:, 5:9], rows[:, 4:5]])


def _squares(rows: np.ndarray) -> np.ndarray:
    """Around the same centres, of whole pixels."""
    centres = (rows[:, :2] + rows[:, 2:4]) / 2
    halves = (rows[:, 2:4] - rows[:, :2]).max(axis=1, keepdims=True) / 2
    return np.hstack([np.trunc(np.hstack([centres - halves, centres + halves])), rows[:, 4:]])
