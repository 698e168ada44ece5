"""EvalDetection against loops over cells, as intel/caffe's are."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import LayerRun

SIDE, CLASSES, BOXES = 3, 4, 2
BIASES = [1.0, 2.0, 1.5, 0.75]


def truth(rng: np.random.Generator) -> np.ndarray:
    rows = np.zeros((1, 1, 9, 8))
    rows[..., 0], rows[..., 1] = rng.integers(-1, 2, 9), rng.integers(1, CLASSES + 1, 9)
    low = rng.uniform(0, 0.6, (9, 2))
    rows[..., 3:5], rows[..., 5:7] = low, low + rng.uniform(0.1, 0.4, (9, 2))
    return rows


def run(body: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    biases = " ".join(f"biases: {b}" for b in BIASES)
    layer = (
        'layer { name: "l" type: "EvalDetection" bottom: "x" bottom: "t" top: "y" '
        f"eval_detection_param {{ side: {SIDE} num_class: {CLASSES} num_object: {BOXES} "
        f"{biases} {body} }} }}"
    )
    shape = (2, BOXES * (5 + CLASSES), SIDE, SIDE)
    r = LayerRun(
        LayerCase(
            "EvalDetection", f"eval{body}", net_text(layer, x=shape, t=(1, 1, 9, 8)), "TEST",
            {"t": truth},
        )
    )  # fmt: skip
    return r.values["x"], r.values["t"], r.forward()["y"]


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def overlap(a: list[float], c: list[float]) -> float:
    sides = [
        min(a[k] + a[k + 2] / 2, c[k] + c[k + 2] / 2)
        - max(a[k] - a[k + 2] / 2, c[k] - c[k + 2] / 2)
        for k in (0, 1)
    ]
    if min(sides) < 0:
        return 0.0
    shared = sides[0] * sides[1]
    return shared / (a[2] * a[3] + c[2] * c[3] - shared)


@pytest.mark.parametrize("score", ["OBJ", "PROB", "MULTIPLY"])
def test_rows_of_boxes(score: str) -> None:
    x, t, y = run(f"threshold: 0.2 nms: 0.4 score_type: {score}")
    assert y.shape == (2, CLASSES + SIDE * SIDE * BOXES * 4)
    for image in range(2):
        objects: dict[int, list[list[float]]] = {}
        for row in t[0, 0]:
            if row[0] == image:
                box = [
                    (row[3] + row[5]) / 2,
                    (row[4] + row[6]) / 2,
                    row[5] - row[3],
                    row[6] - row[4],
                ]
                objects.setdefault(int(row[1]) - 1, []).append(box)
        counts = [len(objects.get(label, [])) for label in range(CLASSES)]
        np.testing.assert_array_equal(y[image, :CLASSES], counts)
        found = []
        for i in range(SIDE):
            for j in range(SIDE):
                for n in range(BOXES):
                    told = x[image, n * (5 + CLASSES) : (n + 1) * (5 + CLASSES), i, j]
                    chances = np.exp(told[5:]) / np.exp(told[5:]).sum()
                    label = int(chances.argmax())
                    scores = {"OBJ": sigmoid(told[4]), "PROB": chances[label]}
                    scores["MULTIPLY"] = scores["OBJ"] * scores["PROB"]
                    box = [
                        (j + sigmoid(told[0])) / SIDE,
                        (i + sigmoid(told[1])) / SIDE,
                        math.exp(told[2]) * BIASES[2 * n] / SIDE,
                        math.exp(told[3]) * BIASES[2 * n + 1] / SIDE,
                    ]
                    found.append((scores[score], label, box))
        kept: list[tuple[float, int, list[float]]] = []
        for one in sorted(found, key=lambda one: -one[0]):
            if all(overlap(other[2], one[2]) < 0.4 for other in kept):
                kept.append(one)
        rows = []
        for label in range(CLASSES):
            taken: set[int] = set()
            for value, _, box in (one for one in kept if one[1] == label):
                if label not in objects:
                    rows.append((label, value, 0, 1))
                    continue
                overlaps = [overlap(box, other) for other in objects[label]]
                best = int(np.argmax(overlaps))
                right = overlaps[best] >= 0.2
                rows.append((label, value, right and best not in taken, right and best in taken))
                taken |= {best} if right else set()
        told = y[image, CLASSES:].reshape(-1, 4)
        np.testing.assert_allclose(told[: len(rows)], rows, rtol=1e-4, atol=1e-5)
        assert not told[len(rows) :].any()


def test_without_suppression_no_box_is_told_of() -> None:
    _, _, y = run("nms: -1")
    assert not y[:, CLASSES:].any()
