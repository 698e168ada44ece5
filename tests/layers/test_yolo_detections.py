"""The YOLO layers against plain loops."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from frontends.lowering.layers import yolo_detection_output
from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import LayerRun

f32 = np.float32

Row = tuple[float, int, list[float]]
"""Score, class, x1, y1, x2, y2."""


def sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def box(
    x: Sequence[float], place: tuple[int, int], extents: tuple[int, int], size: Sequence[float]
) -> list[float]:
    (row, column), (rows, columns) = place, extents
    across, down = (column + sigmoid(x[0])) / columns, (row + sigmoid(x[1])) / rows
    w, h = math.exp(x[2]) * size[0] / columns, math.exp(x[3]) * size[1] / rows
    return [across - w / 2, down - h / 2, across + w / 2, down + h / 2]


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if w < 0 or h < 0:
        return 0.0
    area = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return w * h / (sum(area) - w * h)


def kept(rows: list[Row], threshold: float, images: int) -> np.ndarray:
    found: list[Row] = []
    for row in sorted(rows, key=lambda each: -each[0]):
        if all(overlap(row[2], other[2]) < threshold for other in found):
            found.append(row)
    if not found:
        return np.array([[[[n, *[-1] * 6] for n in range(images)]]], f32)
    return np.array([[[[0, c + 1, score, *edges] for score, c, edges in found]]], f32)


def v2(maps: list[np.ndarray], classes: int, sizes: list[list[float]], least: float) -> list[Row]:
    rows: list[Row] = []
    for x in maps:
        x = x.reshape(len(x), len(sizes), 5 + classes, *x.shape[2:])
        for n, i, j, k in np.ndindex(len(x), *x.shape[3:], len(sizes)):
            v = x[n, k, :, i, j]
            likely = np.exp(v[5:] - v[5:].max())
            likely /= likely.sum()
            score = sigmoid(v[4]) * likely.max()
            if score >= least:
                edges = box(v, (i, j), x.shape[3:], sizes[k])
                rows.append((score, int(likely.argmax()), edges))
    return rows


def v3(
    maps: list[np.ndarray],
    classes: int,
    sizes: list[list[list[float]]],
    least: float,
    gaussian: bool,
) -> list[Row]:
    rows: list[Row] = []
    first = 8 if gaussian else 4
    for x, of_map in zip(maps, sizes, strict=True):
        x = x.reshape(len(x), len(of_map), first + 1 + classes, *x.shape[2:])
        for n, i, j, k in np.ndindex(len(x), *x.shape[3:], len(of_map)):
            v = x[n, k, :, i, j]
            sure = sigmoid(v[first])
            if gaussian:
                sure *= (4 - sum(sigmoid(v[c]) for c in (1, 3, 5, 7))) / 4
                v = [*v[0:8:2], *v[8:]]
            edges = box(v, (i, j), x.shape[3:], of_map[k])
            for c in range(classes):
                score = sigmoid(v[5 + c]) * sure
                if score > least:
                    rows.append((score, c, edges))
    return rows


def check(kind: str, field: str, param: str, maps: list[np.ndarray], expected: np.ndarray) -> None:
    names = [f"m{i}" for i in range(len(maps))]
    layer = (
        f'layer {{ name: "l" type: "{kind}" {" ".join(f"bottom: {n!r}" for n in names)} top: "y" '
        f"{field} {{ {param} }} }}"
    )
    shapes = {name: m.shape for name, m in zip(names, maps, strict=True)}
    filled = {name: (lambda _, a=m: a) for name, m in zip(names, maps, strict=True)}
    run = LayerRun(LayerCase(kind, "case", net_text(layer, **shapes), "TEST", filled))
    (got,) = run.forward({n: a.astype(f32) for n, a in run.values.items()}).values()
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(f32)


@pytest.mark.parametrize("least", [0.0, 0.3, 1.5])
@pytest.mark.parametrize("shapes", [[(1, 3, 3)], [(2, 2, 4), (2, 3, 2)]])
def test_yolo(least: float, shapes: list[tuple[int, int, int]]) -> None:
    maps = [numbers(n, 3 * 7, h, w) for n, h, w in shapes]
    sizes = [[0.7, 0.9], [2.4, 2.6], [1.2, 0.4]]
    param = f"num_classes: 2 num_box: 3 nms_threshold: 0.4 confidence_threshold: {least} "
    param += " ".join(f"biases: {a}" for pair in sizes for a in pair)
    expected = kept(v2(maps, 2, sizes, least), 0.4, shapes[0][0])
    check("YoloDetectionOutput", "yolo_detection_output_param", param, maps, expected)


@pytest.mark.parametrize("gaussian", [False, True])
@pytest.mark.parametrize("least", [0.05, 0.3, 1.5])
@pytest.mark.parametrize("shapes", [[(1, 3, 3)], [(2, 2, 4), (2, 4, 8)]])
@pytest.mark.parametrize("many", [1 << 16, 10])
def test_yolov3(
    gaussian: bool,
    least: float,
    shapes: list[tuple[int, int, int]],
    many: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(yolo_detection_output, "_MANY", many)
    each = 11 if gaussian else 7
    maps = [numbers(n, 2 * each, h, w) for n, h, w in shapes]
    anchors = [[10, 14], [23, 27], [37, 58], [81, 82]]
    masks, scales = [[2, 3], [0, 1]][: len(maps)], [16, 8][: len(maps)]
    sizes = [
        [[a / scale for a in anchors[i]] for i in mask]
        for mask, scale in zip(masks, scales, strict=True)
    ]
    param = (
        f"num_classes: 2 num_box: 2 confidence_threshold: {least} mask_group_num: {len(maps)} "
        f"gaussian_box: {str(gaussian).lower()} "
        + " ".join(f"biases: {a}" for pair in anchors for a in pair)
        + "".join(f" mask: {i}" for mask in masks for i in mask)
        + "".join(f" anchors_scale: {s}" for s in scales)
    )
    expected = kept(v3(maps, 2, sizes, least, gaussian), 0.45, shapes[0][0])
    check("Yolov3DetectionOutput", "yolov3_detection_output_param", param, maps, expected)
