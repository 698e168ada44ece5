"""DetectionOutput against plain loops, over its parameters; what it says of files."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import roastery.caffe as caffe
from frontends.lowering.known_layers import load_layers
from frontends.lowering.net import lower_layers
from frontends.prototxt import parse_text
from ir.ops.introsort import IntroSort
from ir.types import I32, TensorType
from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import LayerRun

f32 = np.float32

LOWEST = -float(np.finfo(f32).max)


def decoded(
    prior: np.ndarray, variance: np.ndarray, offset: np.ndarray, code: str
) -> list[np.floating]:
    offset = offset * variance
    width, height = prior[2] - prior[0], prior[3] - prior[1]
    if code == "CORNER":
        return list(prior + offset)
    if code == "CORNER_SIZE":
        return list(prior + offset * np.array([width, height, width, height]))
    x = offset[0] * width + (prior[0] + prior[2]) / f32(2)
    y = offset[1] * height + (prior[1] + prior[3]) / f32(2)
    w, h = np.exp(offset[2]) * width, np.exp(offset[3]) * height
    return [x - w / 2, y - h / 2, x + w / 2, y + h / 2]


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    if b[0] > a[2] or b[2] < a[0] or b[1] > a[3] or b[3] < a[1]:
        return 0.0
    common = (min(a[2], b[2]) - max(a[0], b[0])) * (min(a[3], b[3]) - max(a[1], b[1]))

    def size(box: Sequence[float]) -> float:
        there = box[2] >= box[0] and box[3] >= box[1]
        return (box[2] - box[0]) * (box[3] - box[1]) if there else 0.0

    return common / (size(a) + size(b) - common)


def suppressed(boxes: list[Any], scores: np.ndarray, p: dict[str, Any]) -> list[int]:
    order = [i for i in range(len(scores)) if scores[i] > p["confidence_threshold"]]
    order.sort(key=lambda i: -scores[i])  # stable
    if p["top_k"] > -1:
        order = order[: p["top_k"]]
    threshold, kept = p["nms_threshold"], []
    for i in order:
        if all(overlap(boxes[i], boxes[j]) <= threshold for j in kept):
            kept.append(i)
            if p["eta"] < 1 and threshold > 0.5:
                threshold *= p["eta"]
    return kept


def as_cpp(scores: list[float]) -> list[int]:
    """As std::sort orders them; that the op does is tested in tests/ir/test_introsort.py."""
    op, x = IntroSort(len(scores)), np.array([scores], f32)
    ones = np.ones(x.shape, np.int32)
    types = [TensorType(x.shape), TensorType(x.shape, I32), TensorType((1,), I32)]
    (places,) = op.reference([x, ones, ones[:, 0]], op.infer(types))
    return list(map(int, places[0]))


def detections(
    loc: np.ndarray, conf: np.ndarray, prior: np.ndarray, p: dict[str, Any]
) -> np.ndarray:
    images, classes = len(loc), p["num_classes"]
    priors = prior.shape[2] // 4
    boxed = 1 if p["share_location"] else classes
    loc = loc.reshape(images, priors, boxed, 4)
    conf = conf.reshape(images, priors, classes)
    where, variance = prior[0].reshape(2, priors, 4)
    if p["variance_encoded_in_target"]:
        variance = np.ones_like(variance)
    rows: list[list[float]] = []
    for n in range(images):
        found: list[tuple[float, int, int, list[Any]]] = []
        for c in range(classes):
            if c == p["background_label_id"]:
                continue
            boxes = [
                decoded(where[i], variance[i], loc[n, i, c if boxed > 1 else 0], p["code_type"])
                for i in range(priors)
            ]
            found += [(conf[n, i, c], c, i, boxes[i]) for i in suppressed(boxes, conf[n, :, c], p)]
        keep = p["keep_top_k"]
        if -1 < keep < len(found):
            found = [found[i] for i in as_cpp([each[0] for each in found])[:keep]]
            found.sort(key=lambda each: each[1])
        rows += [[n, c, score, *box] for score, c, _, box in found]
    if not rows:
        return np.array([[n, *[-1] * 6] for n in range(images)]).reshape(1, 1, images, 7)
    return np.array(rows).reshape(1, 1, len(rows), 7)


DEFAULTS: dict[str, Any] = {
    "num_classes": 3,
    "share_location": True,
    "background_label_id": 0,
    "nms_threshold": 0.3,
    "top_k": -1,
    "eta": 1.0,
    "code_type": "CORNER",
    "variance_encoded_in_target": False,
    "keep_top_k": -1,
    "confidence_threshold": LOWEST,
}


def text_of(given: dict[str, Any], images: int, priors: int) -> str:
    p = DEFAULTS | given
    nms = " ".join(
        f"{name}: {given[name]}" for name in ("nms_threshold", "top_k", "eta") if name in given
    )
    other = " ".join(
        f"{name}: {str(given[name]).lower() if isinstance(given[name], bool) else given[name]}"
        for name in given
        if name not in ("nms_threshold", "top_k", "eta", "num_classes")
    )
    boxed = 1 if p["share_location"] else p["num_classes"]
    layer = (
        'layer { name: "l" type: "DetectionOutput" bottom: "loc" bottom: "conf" bottom: "prior" '
        f'top: "y" detection_output_param {{ num_classes: {p["num_classes"]} '
        f"nms_param {{ {nms} }} {other} }} }}"
    )
    return net_text(
        layer,
        loc=(images, priors * boxed * 4),
        conf=(images, priors * p["num_classes"]),
        prior=(1, 2, priors * 4),
    )


def values(rng: np.random.Generator, ties: bool, shapes: dict[str, tuple[int, ...]]) -> Any:
    corner = rng.uniform(0, 0.6, (shapes["prior"][2] // 4, 2))
    boxes = np.hstack([corner, corner + rng.uniform(0.1, 0.4, corner.shape)])
    prior = np.stack([boxes.ravel(), np.tile([0.1, 0.15, 0.2, 0.25], len(boxes))])[np.newaxis]
    conf = rng.uniform(0, 1, shapes["conf"])
    if ties:
        conf = np.round(conf * 4) / 4
    loc = rng.standard_normal(shapes["loc"])
    return {name: a.astype(f32) for name, a in (("loc", loc), ("conf", conf), ("prior", prior))}


def run_once(given: dict[str, Any], images: int, priors: int, ties: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    case = LayerCase("DetectionOutput", "case", text_of(given, images, priors))
    boxed = 1 if given.get("share_location", True) else (DEFAULTS | given)["num_classes"]
    classes = (DEFAULTS | given)["num_classes"]
    arrays = values(
        rng,
        ties,
        {
            "loc": (images, priors * boxed * 4),
            "conf": (images, priors * classes),
            "prior": (1, 2, priors * 4),
        },
    )
    filled = {name: (lambda _, a=array: a) for name, array in arrays.items()}
    run = LayerRun(LayerCase(case.layer_type, case.name, case.prototxt, "TEST", filled))
    single = {name: a.astype(f32) for name, a in run.values.items()}
    expected = detections(arrays["loc"], arrays["conf"], arrays["prior"], DEFAULTS | given)
    (got,) = run.forward(single).values()
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


CHOICES: list[dict[str, Any]] = [
    {},
    {"code_type": "CENTER_SIZE", "share_location": False},
    {"code_type": "CORNER_SIZE", "variance_encoded_in_target": True},
    {"background_label_id": -1, "share_location": False, "top_k": 5},
    {"background_label_id": 2, "keep_top_k": 3},
    {"nms_threshold": 0.9, "eta": 0.7, "code_type": "CENTER_SIZE"},
    {"nms_threshold": 0.0, "keep_top_k": 200},
    {"confidence_threshold": 0.8, "top_k": 3, "keep_top_k": 4},
    {"confidence_threshold": 2.0},
    {"num_classes": 1},
    {"top_k": 0},
    {"keep_top_k": 0},
    {"top_k": 1, "keep_top_k": 1, "num_classes": 5},
]


@pytest.mark.parametrize(
    ("given", "ties"), list(itertools.product(CHOICES, (False, True))), ids=str
)
def test_equals_plain_loops(given: dict[str, Any], ties: bool) -> None:
    for seed, (images, priors) in enumerate([(1, 9), (3, 14)]):
        run_once(given, images, priors, ties, seed)


def test_no_priors_find_nothing() -> None:
    run = LayerRun(LayerCase("DetectionOutput", "case", text_of({}, 2, 0), "TEST"))
    (got,) = run.forward().values()
    np.testing.assert_array_equal(got[0, 0], [[0, *[-1] * 6], [1, *[-1] * 6]])


def test_files_that_are_not_written_are_told() -> None:
    text = text_of({}, 2, 7).replace(
        "detection_output_param {",
        'detection_output_param { save_output_param { output_directory: "out" } visualize: true ',
    )
    load_layers()
    net = parse_text(text, "NetParameter", "net.prototxt")
    first, second = lower_layers(net, "TEST").program.notes
    assert "not written to 'out'" in first and "net.prototxt:5" in first
    assert "`visualize` is not honoured" in second


def test_a_net_for_more_images_has_the_same_layers() -> None:
    load_layers()
    net = parse_text(text_of({"keep_top_k": 5}, 2, 7), "NetParameter", "net.prototxt")
    told = {"l/rows": (4,)}
    program = lower_layers(net, "TEST", shapes=told).program
    shapes = {"loc": (3, 28), "conf": (3, 21), "l/rows": (6,)}
    assert program.at(told | shapes).blobs["y"][-1].shape == (1, 1, 6, 7)


@pytest.mark.parametrize(
    ("given", "priors"), [({"top_k": 1}, 9), ({"share_location": False}, 1)], ids=str
)
def test_one_box_a_class_on_the_cpu(given: dict[str, Any], priors: int, tmp_path: Path) -> None:
    """How many boxes are looked at is a size that is 1 here, and not in general."""
    text = text_of(given, 2, priors)
    (tmp_path / "net.prototxt").write_text(text)
    found = []
    for device in ("reference", "cpu"):
        net = caffe.Net(tmp_path / "net.prototxt", caffe.TEST, device=device)
        rng = np.random.default_rng(1)
        for name in ("loc", "conf", "prior"):
            net.blobs[name].data[...] = rng.uniform(0.1, 1, net.blobs[name].data.shape)
        found.append(net.forward()["y"].copy())
    np.testing.assert_allclose(*found, rtol=1e-5)
