"""MobileNet-YOLO's layers of pixels against plain loops, on the devices that everybody has."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

import roastery.caffe as caffe
from compiler.options import CompileOptions
from ir.errors import RoasteryError
from ir.program import PROGRESS
from roastery.devices.backends import open_backend
from roastery.reading import nets
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from tests.support.layer_cases import net_text
from tests.support.lowering import lowered, program_of

f32 = np.float32
DEVICES = ("cpu", "reference")


def run(
    kind: str,
    param: str,
    given: dict[str, np.ndarray],
    device: str,
    *,
    seed: float | None = None,
    progress: tuple[int, int] = (0, 0),
) -> tuple[np.ndarray, np.ndarray | None]:
    """The top, and the diff of the first bottom where each of the top's is ``seed``."""
    bottoms = " ".join(f'bottom: "{name}"' for name in given)
    text = net_text(
        f'layer {{ name: "l" type: "{kind}" {bottoms} top: "y" {param} }}',
        **{name: values.shape for name, values in given.items()},
    )
    program = program_of(nets.net_from_text(text, "net.prototxt"), "TRAIN")
    backend = open_backend(device)
    store = Store(program.variables, seed=1)
    if PROGRESS in store.data:
        store.data[PROGRESS].put(np.array(progress, f32))
    net = PartitionedNet(program, backend, store, options=CompileOptions(backend.target))
    net.inputs.take({name: values.astype(f32) for name, values in given.items()})
    if seed is not None:
        net.prepare_backward()
    net.forward()
    top = net.output("y").copy()
    if seed is None:
        return top, None
    return top, net.backward_from({"y": np.full(top.shape, seed, f32)})[next(iter(given))].copy()


# --- YoloSeg ----------------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
def test_yolo_seg_weighs_rare_classes_more_where_they_are(device: str) -> None:
    rng = np.random.default_rng(1)
    shape = (3, 2, 4, 5)
    x = rng.standard_normal(shape)
    labels = (rng.random(shape) < 0.3).astype(float)
    labels[0, 0, 0, :2] = 0.4, 0.6
    pixels = labels.sum((2, 3))
    scale, seed = 0.2, 1.5
    delta = 1 / (1 + np.exp(-x)) - labels
    for c in range(2):
        share = pixels[:, c].sum() / (20 - pixels[:, c]).sum()
        delta[:, c] *= np.where(labels[:, c] > 0.5, scale * (2 - share), scale)
    given = {"x": x, "t": labels, "n": pixels}
    param = f"yolo_seg_param {{ object_scale: {scale} }}"
    loss, diff = run("YoloSeg", param, given, device, seed=seed)
    np.testing.assert_allclose(loss, (delta**2).sum() / 3, rtol=1e-5)
    np.testing.assert_allclose(diff, delta * seed / 3, atol=1e-6)


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ({"x": (2, 3, 4), "t": (2, 3, 4), "n": (2, 3)}, "masks (N, C, H, W) are expected"),
        ({"x": (2, 3, 4, 5), "t": (2, 3, 4, 4), "n": (2, 3)}, "one label for each element"),
        ({"x": (2, 3, 4, 5), "t": (2, 1, 12, 5), "n": (2, 3)}, "one label for each element"),
        ({"x": (2, 3, 4, 5), "t": (2, 3, 4, 5), "n": (2,)}, "2 images times 3 numbers"),
        ({"x": (2, 3, 4, 5), "t": (1, 3, 8, 5), "n": (2, 3)}, "first extents must be equal"),
    ],
)
def test_what_yolo_seg_cannot_take(shapes: dict[str, tuple[int, ...]], words: str) -> None:
    layer = 'layer { name: "l" type: "YoloSeg" bottom: "x" bottom: "t" bottom: "n" top: "y" }'
    with pytest.raises(RoasteryError) as caught:
        lowered(net_text(layer, **shapes))
    assert words in str(caught.value)


# --- SegmentationEvaluate -----------------------------------------------------------------


def evaluated(masks: np.ndarray, labels: np.ndarray, threshold: float) -> list[float]:
    limit = f32(threshold)
    told = []
    for mask, label in zip(masks[0].astype(f32), labels[0], strict=True):
        there, absent = label > limit, 0.0
        if mask.shape == label.shape:
            found = mask > limit
        else:
            resized = cv2.resize((mask * f32(255)).astype(np.uint8), label.shape[::-1])
            found, absent = resized > int(limit * f32(255)), -1.0
        hit, union = (there & found).sum(), (there | found).sum()
        told.append(hit / union if hit else 0.0 if there.any() else absent)
    return told


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((5, 7), (5, 7)),
        ((5, 7), (9, 13)),
        ((20, 31), (7, 11)),
        ((8, 12), (4, 6)),
        ((8, 12), (4, 12)),
        ((33, 17), (60, 61)),
        ((1, 1), (3, 4)),
    ],
)
def test_segmentation_evaluate_resizes_as_opencv_does(
    size: tuple[int, int], wanted: tuple[int, int], device: str
) -> None:
    rng = np.random.default_rng(2)
    masks = rng.random((2, 4, *size)).astype(f32)
    labels = (rng.random((2, 4, *wanted)) < 0.5).astype(f32)
    labels[:, 1] = 0.0
    masks[:, 3] = 0.0
    param = "segmentation_evaluate_param { num_classes: 4 threshold: 0.45 }"
    top, _ = run("SegmentationEvaluate", param, {"x": masks, "t": labels}, device)
    assert top.shape == (1, 1, 1, 4)
    np.testing.assert_allclose(top.ravel(), evaluated(masks, labels, 0.45), rtol=1e-6)


@pytest.mark.parametrize(
    ("labels", "param", "words"),
    [
        ((2, 3, 5, 7), "", "num_classes is missing"),
        ((2, 2, 5, 7), "num_classes: 3", "has 3 channels and 't' 2"),
        ((2, 3, 5), "num_classes: 3", "(N, C, H, W) with at least one image"),
    ],
)
def test_what_segmentation_evaluate_cannot_take(
    labels: tuple[int, ...], param: str, words: str
) -> None:
    layer = (
        'layer { name: "l" type: "SegmentationEvaluate" bottom: "x" bottom: "t" top: "y" '
        f"segmentation_evaluate_param {{ {param} }} }}"
    )
    with pytest.raises(RoasteryError) as caught:
        lowered(net_text(layer, x=(2, 3, 5, 7), t=labels))
    assert words in str(caught.value)


# --- AssistedExcitation -------------------------------------------------------------------


def excited(
    x: np.ndarray, labels: np.ndarray, mean: np.ndarray, iteration: int, last: int
) -> np.ndarray:
    height, width = x.shape[2:]
    alpha = max(math.cos(iteration / (last * 0.75) * math.pi / 2), 0.0)
    mask = np.zeros((height, width))
    for _, cx, cy, w, h in labels[0].reshape(-1, 5).astype(f32):
        if not cx:
            break
        spans = []
        for centre, size, extent in ((cx, w, width), (cy, h, height)):
            first = min(max(int((centre - size / 2) * extent), 0), extent - 1)
            end = int(float((centre + size / 2) * extent) + 0.95)
            spans.append(slice(first, min(max(end, first + 1), extent)))
        mask[spans[1], spans[0]] = 1.0
    out = x.copy()
    out[0] += alpha * mask * mean[0]
    return out


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("iteration", [0, 20, 70, 75, 99])
def test_boxes_of_the_first_image_are_excited(iteration: int, device: str) -> None:
    rng = np.random.default_rng(iteration)
    x = rng.standard_normal((2, 3, 9, 11))
    labels = np.zeros((2, 8, 5))
    labels[:, :4, 1:3] = rng.random((2, 4, 2))
    labels[:, :4, 3:] = rng.random((2, 4, 2)) * 0.5
    labels[:, 5] = 0, 0.5, 0.5, 1, 1  # behind the end
    labels = labels.reshape(2, 40)
    mean = x.mean(1)
    given = {"x": x, "t": labels, "m": mean}
    top, diff = run("AssistedExcitation", "", given, device, seed=2.0, progress=(iteration, 100))
    np.testing.assert_allclose(top, excited(x, labels, mean, iteration, 100), atol=2e-6)
    np.testing.assert_array_equal(diff, np.full(x.shape, 2.0, f32))


def test_the_solver_tells_how_far_training_is(tmp_path: Path) -> None:
    fields = "dim: 1 dim: 1 dim: 2 dim: 2"
    net = tmp_path / "net.prototxt"
    ones = 'data_filler { type: "constant" value: 1 }'
    net.write_text(
        f"""
        layer {{ name: "x" type: "DummyData" top: "x" top: "t" top: "m" dummy_data_param {{
          shape {{ {fields} }} shape {{ dim: 1 dim: 5 }} shape {{ dim: 1 dim: 2 dim: 2 }}
          {ones} {ones} {ones} }} }}
        layer {{ name: "c" type: "Convolution" bottom: "x" top: "c" convolution_param {{
          num_output: 1 kernel_size: 1 bias_term: false
          weight_filler {{ type: "constant" value: 3 }} }} }}
        layer {{ name: "l" type: "AssistedExcitation" bottom: "c" bottom: "t" bottom: "m"
          top: "y" }}
        layer {{ name: "s" type: "Reduction" bottom: "y" top: "s" loss_weight: 1 }}
        """
    )
    solver = tmp_path / "solver.prototxt"
    solver.write_text(
        f'train_net: "{net}" base_lr: 0 lr_policy: "fixed" max_iter: 8 display: 0 '
        f'snapshot: 0 snapshot_after_train: false snapshot_prefix: "{tmp_path}/s" type: "SGD"'
    )
    trained = caffe.get_solver(str(solver))
    seen = []
    trained.add_callback(
        lambda: None, lambda: seen.append(float(trained.net.blobs["y"].data[0, 0, 1, 1]))
    )
    trained.step(8)
    wanted = [3 + max(math.cos(i / 6 * math.pi / 2), 0) for i in range(8)]
    np.testing.assert_allclose(seen, wanted, atol=1e-6)
