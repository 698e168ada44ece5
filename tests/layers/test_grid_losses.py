"""Synopsys' losses of YOLO against what the fork's own code computed on a CPU."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.options import CompileOptions
from ir.errors import RoasteryError
from roastery.devices.backends import open_backend
from roastery.reading import nets
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import LayerRun
from tests.support.lowering import lowered, program_of

SIDE, CLASSES, WEIGHT = 5, 3, 1.5
CELLS = SIDE * SIDE


def labels(seed: int) -> np.ndarray:
    """(2, 7 * 25): four boxes an image, or fewer where two share a cell."""
    rng = np.random.default_rng(seed)
    out = np.zeros((2, 7 * CELLS), np.float32)
    for row in out:
        for _ in range(4):
            x, y, w, h = rng.uniform(0.05, 0.95, 4).astype(np.float32)
            cell = int(y * SIDE) * SIDE + int(x * SIDE)
            row[CELLS + cell], row[2 * CELLS + cell] = 1, rng.integers(CLASSES)
            first = 3 * CELLS + 4 * cell
            row[first : first + 4] = x, y, w, h
    return out


def maps(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((2, 16, SIDE, SIDE)).astype(np.float32)


def run(
    kind: str, param: str, x: np.ndarray, t: np.ndarray, seen: float = 0.0
) -> tuple[float, np.ndarray, Store]:
    layer = f'layer {{ name: "l" type: "{kind}" bottom: "x" bottom: "t" top: "y" {param} }}'
    message = nets.net_from_text(net_text(layer, x=x.shape, t=t.shape), "net.prototxt")
    program, backend = program_of(message, "TRAIN"), open_backend("cpu")
    store = Store(program.variables, seed=1)
    if seen:
        store.data["l/@seen"].array[...] = seen
    options = CompileOptions(backend.target)
    net = PartitionedNet(program, backend, store, options=options)
    net.inputs.take({"x": x, "t": t})
    net.prepare_backward()
    net.forward()
    loss = float(net.output("y"))
    diff = net.backward_from({"y": np.array(WEIGHT, np.float32)})["x"].copy()
    return loss, diff, store


def by_number(diff: np.ndarray) -> np.ndarray:
    """How much there is for x, y, width, height, object and classes."""
    return np.abs(diff).reshape(2, 2, 8, CELLS).sum((0, 1, 3))


ANCHORS = "anchors: 1.2 anchors: 1.7 anchors: 3.1 anchors: 4.0"
SCALES = "box_scale: 1.5 class_scale: 0.7 noobject_scale: 0.8 object_scale: 5"


@pytest.mark.parametrize(
    ("param", "seen", "loss", "sums"),
    [
        (
            "rescore: true thresh: 0.6",
            0,
            7.73936128616333,
            [0.90105, 1.17938, 11.45183, 15.18003, 6.99966, 0.89515, 2.14372, 2.22606],
        ),
        (
            "rescore: false thresh: 0.2",
            12800,
            8.054499626159668,
            [0.88048, 1.15823, 10.97154, 14.68481, 6.08505, 0.89515, 2.14372, 2.22606],
        ),
    ],
)
def test_yolo_v2(param: str, seen: float, loss: float, sums: list[float]) -> None:
    text = f"{ANCHORS} {SCALES} num_classes: 3 num_object: 2 {param}"
    found, diff, store = run(
        "YoloV2Loss", f"yolo_v2_loss_param {{ {text} }}", maps(1), labels(2), seen
    )
    assert found == pytest.approx(loss, rel=1e-5)
    np.testing.assert_allclose(by_number(diff), sums, rtol=2e-5)
    assert store.data["l/@seen"].array[0] == (seen or 2)


PIXELS = " ".join(f"anchors: {a}" for a in (10, 13, 16, 30, 33, 23, 30, 61))


@pytest.mark.parametrize(
    ("param", "loss", "sums"),
    [
        (
            "mask: 0 mask: 1",
            5.9990315437316895,
            [0.48243, 0.43347, 6.14324, 4.21672, 7.81096, 1.5901, 1.50717, 2.70912],
        ),
        (
            "mask: 3 mask: 2 ignore_thresh: 0.5 truth_thresh: 0.3",
            15.964069366455078,
            [2.40624, 4.88785, 15.49267, 15.58442, 7.995, 8.71591, 10.43804, 10.39392],
        ),
        (
            "mask: 1 mask: 2 ignore_thresh: 0.2 truth_thresh: 0.25 net_w: 90 net_h: 70",
            26.910497665405273,
            [3.27869, 4.18685, 15.10573, 14.3035, 7.50601, 9.78269, 11.28336, 9.55424],
        ),
    ],
)
def test_yolo_v3(param: str, loss: float, sums: list[float]) -> None:
    text = f"{PIXELS} num_classes: 3 num_object: 2 total_object: 4 {param}"
    found, diff, _ = run("YoloV3Loss", f"yolo_v3_loss_param {{ {text} }}", maps(3), labels(4))
    assert found == pytest.approx(loss, rel=1e-5)
    np.testing.assert_allclose(by_number(diff), sums, rtol=2e-5)


def test_labels_that_are_no_numbers_train_nothing_and_end_nothing() -> None:
    x, t = maps(1), labels(2)
    t[:, CELLS] = 1
    t[:, 3 * CELLS : 3 * CELLS + 4] = np.nan
    t[0, 2 * CELLS : 3 * CELLS] = np.nan
    text = f"{ANCHORS} num_classes: 3 num_object: 2"
    _, diff, _ = run("YoloV2Loss", f"yolo_v2_loss_param {{ {text} }}", x, t)
    assert np.isfinite(diff).all()


def test_a_batch_without_boxes_has_no_loss_and_a_gradient() -> None:
    text = f"{PIXELS} num_classes: 3 num_object: 2 total_object: 4 mask: 0 mask: 1"
    none = np.zeros((2, 7 * CELLS), np.float32)
    loss, diff, _ = run("YoloV3Loss", f"yolo_v3_loss_param {{ {text} }}", maps(3), none)
    assert np.isnan(loss)
    there = 1 / (1 + np.exp(-maps(3).reshape(2, 2, 8, CELLS)[:, :, 4]))
    expected = np.zeros((2, 2, 8, CELLS))
    expected[:, :, 4] = there**2 * (1 - there) * WEIGHT / 2
    np.testing.assert_allclose(diff.reshape(expected.shape), expected, atol=1e-6)


V2 = "yolo_v2_loss_param { num_classes: 3 num_object: 2 "
V3 = "yolo_v3_loss_param { num_classes: 3 num_object: 2 "


@pytest.mark.parametrize(
    ("kind", "param", "x", "t", "words"),
    [
        ("YoloV2Loss", "", (2, 16, 5, 5), (2, 175), "num_classes is missing or below 1"),
        ("YoloV2Loss", V2 + "}", (2, 16, 5, 5), (2, 175), "0 anchors values for 2 boxes"),
        ("YoloV2Loss", V2 + ANCHORS + "}", (2, 15, 5, 5), (2, 175), "(N, 16, side, side)"),
        ("YoloV2Loss", V2 + ANCHORS + "}", (2, 16, 5, 4), (2, 175), "(N, 16, side, side)"),
        ("YoloV2Loss", V2 + ANCHORS + "}", (2, 16, 5, 5), (2, 170), "7 numbers for each of 5x5"),
        ("YoloV2Loss", V2 + ANCHORS + "}", (2, 16, 5, 5), (1, 350), "first extents must be equal"),
        ("YoloV3Loss", V3 + PIXELS + "}", (2, 16, 5, 5), (2, 175), "a total_object of 0"),
        (
            "YoloV3Loss",
            V3 + PIXELS + " total_object: 5 }",
            (2, 16, 5, 5),
            (2, 175),
            "8 anchors values for a total_object of 5",
        ),
        (
            "YoloV3Loss",
            V3 + PIXELS + " total_object: 4 mask: 0 mask: 4 }",
            (2, 16, 5, 5),
            (2, 175),
            "mask names [0, 4] for 2 of 4 anchors",
        ),
        (
            "YoloV3Loss",
            V3 + PIXELS + " total_object: 4 mask: 1 mask: 2 net_w: 8 }",
            (2, 16, 5, 5),
            (2, 175),
            "the net's image is 8x0",
        ),
    ],
)
def test_what_they_cannot_take(
    kind: str, param: str, x: tuple[int, ...], t: tuple[int, ...], words: str
) -> None:
    layer = f'layer {{ name: "l" type: "{kind}" bottom: "x" bottom: "t" top: "y" {param} }}'
    with pytest.raises(RoasteryError) as caught:
        lowered(net_text(layer, x=x, t=t))
    assert words in str(caught.value)


def test_early_boxes_are_drawn_to_their_anchors() -> None:
    """Until 12800 images were seen."""
    text = f"yolo_v2_loss_param {{ {ANCHORS} num_classes: 3 num_object: 2 }}"
    layer = f'layer {{ name: "l" type: "YoloV2Loss" bottom: "x" bottom: "t" top: "y" {text} }}'
    case = LayerCase("", "early", net_text(layer, x=(1, 16, 5, 5), t=(1, 175)))
    r = LayerRun(case)
    r.values["t"][...] = 0
    for seen, scale, after in ((12799, 0.01, 12800), (12800, 0.0, 12800)):
        r.values["l/@seen"] = np.array([seen], np.float32)
        assert r.forward()["l/@seen"][0] == after
        diff = r.gradients({"y": np.array(1.0)})["x"].reshape(2, 8, 5, 5)
        x = r.values["x"].reshape(2, 8, 5, 5)
        centre = 1 / (1 + np.exp(-x[:, :2]))
        np.testing.assert_allclose(diff[:, 2:4], scale * x[:, 2:4], atol=1e-9)
        drawn = scale * (centre - 0.5) * centre * (1 - centre)
        np.testing.assert_allclose(diff[:, :2], drawn, atol=1e-9)
