"""Layers of forks about images against their definitions, written out as plain loops."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import roastery
from frontends.caffemodel import write_weights_hdf5
from ir.graph import Role
from ir.ops.introsort import IntroSort
from ir.program import NetProgram
from ir.types import TensorType
from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import LayerRun
from tests.support.lowering import layer_named, lowered

Shape = tuple[int, ...]


def run(
    kind: str,
    body: str = "",
    *,
    phase: str = "TEST",
    tops: str = 'top: "y"',
    given: dict[str, np.ndarray] | None = None,
    **inputs: Shape,
) -> LayerRun:
    bottoms = " ".join(f'bottom: "{name}"' for name in inputs)
    layer = f'layer {{ name: "l" type: "{kind}" {bottoms} {tops} {body} }}'
    fills = {name: (lambda rng, a=a: a) for name, a in (given or {}).items()}
    return LayerRun(LayerCase(kind, kind, net_text(layer, **inputs), phase, fills))


# --- BN ---------------------------------------------------------------------------------


def batch_norm(body: str, layer: str = "", tops: str = 'top: "y"') -> NetProgram:
    text = f'layer {{ name: "l" type: "BN" bottom: "x" {tops} {layer} bn_param {{ {body} }} }}'
    return lowered(net_text(text, x=(2, 3, 4, 5)))


@pytest.mark.parametrize(
    ("body", "layer", "tops", "blobs"),
    [
        ("", "", 1, 4),
        ("", "param { } param { }", 1, 2),
        ("", "param { } param { } param { } param { }", 1, 4),
        ("", "", 2, 2),
        ("eps: 0.1", "param { } param { }", 1, 4),
        ("bn_mode: LEARN", "", 1, 2),
        ("shift_filler { }", "", 3, 2),
        ("icnet: true", "param { } param { }", 1, 4),
        ("icnet: false", "", 1, 2),
        ("engine: CAFFE", "param { } param { }", 1, 4),
    ],
)
def test_the_two_layers_called_bn_are_told_apart(
    body: str, layer: str, tops: int, blobs: int
) -> None:
    named = " ".join(f'top: "{top}"' for top in ("y", "m", "v")[:tops])
    program = batch_norm(body, layer, named)
    variables = [program.variables[name] for name in layer_named(program, "l").variables]
    assert [v.type.shape for v in variables] == [(1, 3, 1, 1)] * blobs


def test_nothing_of_a_frozen_bn_learns_whatever_it_says() -> None:
    params = "param { lr_mult: 2 } " * 4
    for body, roles in (
        ("frozen: true", [Role.STATE] * 4),
        ("frozen: false", [Role.PARAMETER] * 2 + [Role.STATE] * 2),
    ):
        program = batch_norm(body, params)
        variables = [program.variables[name] for name in layer_named(program, "l").variables]
        assert [v.role for v in variables] == roles
        assert [v.lr_mult for v in variables] == [2.0 * (r is Role.PARAMETER) for r in roles]
        assert variables[3].filler.value == float(body == "frozen: true")


def test_the_statistics_of_bn_move_by_its_momentum() -> None:
    net = run("BN", "bn_param { momentum: 0.75 eps: 0.1 }", phase="TRAIN", x=(3, 4, 5, 2))
    x, before = net.values["x"], [net.values[f"l/{i}"] for i in range(4)]
    results = net.forward()
    mean, variance = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
    y = (x - mean) / np.sqrt(variance + 0.1) * before[0] + before[1]
    np.testing.assert_allclose(results["y"], y, atol=1e-6)
    np.testing.assert_allclose(results["l/2"], 0.75 * before[2] + 0.25 * mean, atol=1e-6)
    np.testing.assert_allclose(results["l/3"], 0.75 * before[3] + 0.25 * variance, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1, 1)])
def test_weights_of_either_shape_load(shape: Shape, tmp_path: Path) -> None:
    net = tmp_path / "net.prototxt"
    net.write_text(net_text('layer { name: "l" type: "BN" bottom: "x" top: "y" }', x=(1, 3, 2, 2)))
    blobs = [np.arange(3, dtype=np.float32).reshape(shape) + i for i in range(4)]
    weights = tmp_path / "weights.h5"
    write_weights_hdf5(weights, {"l": blobs}, None)
    loaded = roastery.compile(net, weights)
    assert loaded.parameters["l"][2].reshape(-1).tolist() == [2.0, 3.0, 4.0]


# --- Upsample ---------------------------------------------------------------------------


def put_back(x: np.ndarray, mask: np.ndarray, extents: Sequence[int]) -> np.ndarray:
    """One after the other, as the fork does on a CPU; what lies outside is left out."""
    y = np.zeros((*x.shape[:2], extents[0] * extents[1]))
    for n, c in itertools.product(*map(range, x.shape[:2])):
        for value, place in zip(x[n, c].ravel(), mask[n, c].ravel(), strict=True):
            if 0 <= place < y.shape[2]:
                y[n, c, int(place)] = value
    return y.reshape(*x.shape[:2], *extents)


@pytest.mark.parametrize(
    ("body", "extents"),
    [
        ("scale: 2", (6, 8)),
        ("upsample_h: 5 upsample_w: 7", (5, 7)),
        ("upsample_h: 11 upsample_w: 4", (11, 4)),
        ("scale_h: 1 scale_w: 3", (3, 12)),
    ],
)
@pytest.mark.parametrize("kind", ["windows", "any", "outside", "one plane"])
def test_any_mask_is_obeyed(body: str, extents: tuple[int, int], kind: str) -> None:
    rng = np.random.default_rng(3)
    shape, count = (2, 3, 3, 4), extents[0] * extents[1]
    rows, columns = np.indices(shape[2:]) * 2
    near = np.minimum(rows, extents[0] - 1) * extents[1] + np.minimum(columns, extents[1] - 1)
    mask = np.broadcast_to(near, shape).astype(np.float64)
    if kind != "windows":
        other = rng.integers(-1 if kind == "outside" else 0, count, shape)
        other = other + (kind == "outside") * rng.integers(0, 2, shape) * count
        mask = np.where(np.arange(3).reshape(3, 1, 1) == 1, other, mask) if (
            kind == "one plane"
        ) else other.astype(np.float64)  # fmt: skip
    net = run("Upsample", f"upsample_param {{ {body} }}", given={"m": mask}, x=shape, m=shape)
    np.testing.assert_allclose(net.forward()["y"], put_back(net.values["x"], mask, extents))
    seed = rng.standard_normal((2, 3, *extents))
    picked = np.take_along_axis(
        seed.reshape(2, 3, count), np.clip(mask, 0, count - 1).astype(int).reshape(2, 3, -1), 2
    ).reshape(shape)
    inside = (mask >= 0) & (mask < count)
    np.testing.assert_allclose(net.gradients({"y": seed})["x"], np.where(inside, picked, 0.0))


# --- others -----------------------------------------------------------------------------


def confusion(x: np.ndarray, labels: np.ndarray, ignored: Sequence[int]) -> np.ndarray:
    classes = x.shape[1]
    counts = np.zeros((classes, classes))
    for n, h, w in np.ndindex(x.shape[0], *x.shape[2:]):
        label = int(labels[n, 0, h, w])
        if label not in ignored:
            counts[label, max(range(classes), key=lambda c: (x[n, c, h, w], c))] += 1
    return counts


def measures(counts: np.ndarray) -> list[float]:
    right, own = np.diag(counts), counts.sum(1)
    union = own + counts.sum(0) - right
    overlap = np.where(union == right, 1.0, right / np.maximum(union, 1.0))
    recall = right[own > 0] / own[own > 0]
    return [right.sum() / counts.sum(), recall.mean(), overlap.mean()]


@pytest.mark.parametrize("ignored", [(), (255,), (1, 3), (7, 9)])
@pytest.mark.parametrize("reset", [True, False])
def test_segmentation_is_measured(ignored: tuple[int, ...], reset: bool) -> None:
    rng = np.random.default_rng(5)
    x = rng.integers(0, 4, (2, 5, 4, 3)).astype(np.float64)  # with ties
    labels = rng.choice([0, 1, 2, 4, *ignored], (2, 1, 4, 3)).astype(np.float64)
    body = " ".join(f"ignore_label: {number}" for number in ignored)
    body = f"seg_accuracy_param {{ {body} reset: {str(reset).lower()} }}"
    given = {"x": x, "t": labels, "l/@counts": np.zeros((3, 5), np.int32)}
    net = run("SegAccuracy", body, given=given, x=x.shape, t=labels.shape)
    counts = confusion(x, labels, ignored)
    results = net.forward()
    np.testing.assert_allclose(results["y"].ravel(), measures(counts), atol=1e-6)
    if reset:
        return
    net.values["l/@counts"] = results["l/@counts"]
    net.values["x"] = x[::-1].copy()
    both = counts + confusion(x[::-1], labels, ignored)
    np.testing.assert_allclose(net.forward()["y"].ravel(), measures(both), atol=1e-6)


def reorganised(x: np.ndarray, s: int, reverse: bool) -> np.ndarray:
    """By places in memory, as darknet has it."""
    n, c, h, w = x.shape
    fewer, flat, out = c // (s * s), x.ravel(), np.zeros(x.size)
    for b, k, j, i in np.ndindex(n, c, h, w):
        here = i + w * (j + h * (k + c * b))
        offset = k // fewer
        there = i * s + offset % s + w * s * (
            j * s + offset // s + h * s * (k % fewer + fewer * b)
        )  # fmt: skip
        if reverse:
            out[there] = flat[here]
        else:
            out[here] = flat[there]
    shape = (n, fewer, h * s, w * s) if reverse else (n, c * s * s, h // s, w // s)
    return out.reshape(shape)


@pytest.mark.parametrize("shape", [(2, 4, 6, 8), (1, 9, 3, 6), (3, 18, 6, 3)])
@pytest.mark.parametrize("reverse", [False, True])
def test_pixels_become_channels_as_in_darknet(shape: Shape, reverse: bool) -> None:
    s = 2 if shape[1] == 4 else 3
    net = run("Reorg", f"reorg_param {{ stride: {s} reverse: {str(reverse).lower()} }}", x=shape)
    np.testing.assert_allclose(net.forward()["y"], reorganised(net.values["x"], s, reverse))


def test_every_place_has_weights_of_its_own() -> None:
    body = "local_param { num_output: 3 kernel_size: 3 stride: 2 pad: 1 }"
    net = run("Local", body, x=(2, 2, 5, 4))
    x, weights, bias = (net.values[name] for name in ("x", "l/0", "l/1"))
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    y = np.zeros((2, 3, 3, 2))
    for n, m, i, j in np.ndindex(*y.shape):
        window = padded[n, :, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3].ravel()
        y[n, m, i, j] = window @ weights[m, 0, :, i * 2 + j] + bias[0, 0, m, i * 2 + j]
    np.testing.assert_allclose(net.forward()["y"], y, atol=1e-9)


def test_old_nets_have_layers_of_forks() -> None:
    text = """
    input: "x" input_dim: 1 input_dim: 2 input_dim: 6 input_dim: 6
    layers { name: "l" type: LOCAL bottom: "x" top: "l"
      local_param { num_output: 2 kernel_size: 3 } blobs_lr: 3 blobs_lr: 0 }
    layers { name: "r" type: RELU6 bottom: "l" top: "l" relu6_param { negative_slope: 0.5 } }
    """
    program = lowered(text, "TEST")
    assert [layer.type for layer in program.layers[-2:]] == ["Local", "ReLU6"]
    assert program.variables["l/0"].lr_mult == 3.0


@pytest.mark.parametrize("count", [14, 60])
@pytest.mark.parametrize("most", [1, 3, 50])
def test_the_hardest_regions_are_kept(most: int, count: int) -> None:
    rng = np.random.default_rng(1)
    regions = rng.uniform(0, 9, (count, 5))
    regions[:, 0] = rng.integers(0, 3, count)
    losses = rng.integers(0, 5, (count, 1)) * 0.5  # with ties
    net = run(
        "BoxAnnotatorOHEM",
        f"box_annotator_ohem_param {{ roi_per_img: {most} }}",
        tops='top: "y" top: "z"',
        given={"r": regions, "l": losses},
        r=(count, 5),
        l=(count, 1),
        t=(count, 1),
        w=(count, 8),
    )
    labels, weights = np.full((count, 1), -1.0), np.zeros((count, 8))
    left = dict.fromkeys(range(3), most)
    # As std::sort orders them; that the op does is tested in tests/ir/test_introsort.py.
    every = np.ones((1, count), np.int32)
    (order,) = IntroSort(count).reference([losses.T, every, every[0, :1]], [TensorType((1, count))])
    for i in order[0]:
        image = int(regions[i, 0])
        if left[image] > 0:
            left[image] -= 1
            labels[i], weights[i] = net.values["t"][i], net.values["w"][i]
    results = net.forward()
    np.testing.assert_allclose(results["y"].reshape(count, 1), labels)
    np.testing.assert_allclose(results["z"].reshape(count, 8), weights)


@pytest.mark.parametrize(
    ("kind", "bottoms", "body", "weight"),
    [
        ("SmoothL1Loss", 2, "", 1.0),
        ("SmoothL1Loss", 2, "smooth_l1_loss_param { }", 0.0),
        ("SmoothL1Loss", 4, "", 0.0),
        ("SmoothL1Loss", 4, "loss_weight: 3", 3.0),
        ("SmoothL1LossOHEM", 3, "", 0.0),
        ("SmoothL1LossOHEM", 2, "loss_weight: 2", 2.0),
        ("EuclideanLoss", 2, "", 1.0),
    ],
)
def test_some_losses_count_for_nothing_unless_they_say_so(
    kind: str, bottoms: int, body: str, weight: float
) -> None:
    net = run(kind, body, phase="TRAIN", **dict.fromkeys("abcd"[:bottoms], (2, 3)))
    assert layer_named(net.program, "l").loss_weights == (weight,)


def test_softmax_losses_are_weighted_by_their_labels() -> None:
    weights = [0.5, 3.0, 0.25, 2.0, 2.0]
    given = " ".join(f"class_weighting: {w}" for w in weights)
    body = f"loss_param {{ weight_by_label_freqs: true ignore_label: 2 {given} }}"
    labels = np.array([[0, 1, 2], [3, 4, 2]], np.float64).reshape(2, 1, 3)
    net = run("SoftmaxWithLoss", body, given={"t": labels}, x=(2, 5, 3), t=(2, 1, 3))
    x = net.values["x"]
    shares = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    numbers = labels.astype(int)
    loss = -np.log(np.take_along_axis(shares, numbers, 1)) * np.take(weights, numbers)
    kept = labels != 2
    np.testing.assert_allclose(net.forward()["y"], loss[kept].sum() / kept.sum(), rtol=1e-6)


@pytest.mark.parametrize(
    ("x", "t", "per"),
    [
        ((6, 4), (6,), (6,)),
        ((6, 4, 1, 1), (6,), (6, 1, 1, 1)),
        ((6, 4, 1, 1), (6, 1, 1, 1), (6, 1, 1, 1)),
        ((6, 4, 2, 3), (6, 1, 2, 3), (6, 1, 2, 3)),
    ],
)
def test_losses_of_regions_have_a_shape_that_others_are_added_to(
    x: Shape, t: Shape, per: Shape
) -> None:
    labels = np.arange(np.prod(t)).reshape(t) % 4.0
    tops = 'top: "y" top: "p" top: "per"'
    net = run("SoftmaxWithLossOHEM", tops=tops, given={"t": labels}, x=x, t=t)
    results = net.forward()
    assert results["per"].shape == per
    np.testing.assert_allclose(results["per"].mean(), results["y"], rtol=1e-6)
