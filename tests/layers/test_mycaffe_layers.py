"""Layers of MyCaffe against formulas, and what they refuse."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import roastery.caffe as caffe
from ir.errors import RoasteryError
from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import LayerRun


def run(
    kind: str, body: str, phase: str = "TRAIN", top: str = "y", **given: np.ndarray
) -> LayerRun:
    """One layer over inputs of these values."""
    bottoms = " ".join(f'bottom: "{name}"' for name in given)
    layer = f'layer {{ name: "l" type: "{kind}" {bottoms} top: "{top}" {body} }}'
    text = net_text(layer, **{name: np.shape(value) for name, value in given.items()})
    fills = {name: (lambda rng, value=value: value) for name, value in given.items()}
    return LayerRun(LayerCase(kind, f"{kind}{body}", text, phase, fills))


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).standard_normal(shape)


@pytest.mark.parametrize(
    ("body", "margin", "labels"),
    [("", 1.1, True), ("triplet_loss_param { alpha: 0.25 }", 0.25, True), ("", 1.0, False)],
)
def test_triplet_loss(body: str, margin: float, labels: bool) -> None:
    a, p, n = (
        0.8 * normal(6, 4),
        0.8 * normal(6, 2, 2).reshape(6, 4),
        0.8 * normal(1, 1, 6, 4)[0, 0],
    )
    given = {"a": a, "p": p, "n": n, **({"t": np.zeros(6)} if labels else {})}
    excess = ((a - p) ** 2).sum(1) - ((a - n) ** 2).sum(1) + margin
    assert 0 < (excess > 0).sum() < 6
    expected = np.maximum(excess, 0).sum() / 12
    assert run("TripletLoss", body, **given).forward()["y"] == pytest.approx(expected, rel=1e-5)


def put(shape: tuple[int, ...], places: dict[tuple[int, ...], float]) -> np.ndarray:
    made = np.zeros(shape)
    for place, value in places.items():
        made[place] = value
    return made


@pytest.mark.parametrize(
    ("fields", "kernel", "stride", "pad", "extents"),
    [
        ("kernel_size: 2 stride: 2", (2, 2), (2, 2), (0, 0), (11, 9)),
        ("kernel_size: 5 stride: 2", (5, 5), (2, 2), (0, 0), (13, 11)),
        ("kernel_size: 3 stride: 2 pad: 1", (3, 3), (2, 2), (1, 1), (10, 8)),
        ("kernel_size: 3", (3, 3), (1, 1), (0, 0), (7, 6)),
        ("kernel_h: 2 kernel_w: 3 stride_w: 2", (2, 3), (1, 2), (0, 0), (6, 9)),
        ("global_pooling: true", (5, 4), (1, 1), (0, 0), (9, 7)),
        ("kernel_size: 2 stride: 2 unpool_h: 9 unpool_w: 20", (2, 2), (2, 2), (0, 0), (9, 20)),
    ],
)
def test_unpooling_to_the_starts_of_windows(fields, kernel, stride, pad, extents) -> None:
    x = normal(2, 3, 5, 4)
    y = run("UnPooling", f"unpooling_param {{ {fields} }}", x=x).forward()["y"]
    expected = np.zeros((2, 3, *extents))
    for i, j in itertools.product(range(5), range(4)):
        row, column = max(i * stride[0] - pad[0], 0), max(j * stride[1] - pad[1], 0)
        expected[:, :, row, column] = x[:, :, i, j]
    np.testing.assert_allclose(y, expected, rtol=1e-6)


def test_unpooling_of_averages() -> None:
    x = normal(2, 3, 5, 4)
    for size, extents in (("", (11, 9)), ("unpool_size: 8", (8, 8))):
        fields = f"unpooling_param {{ pool: AVE kernel_size: 3 stride: 2 {size} }}"
        y = run("UnPooling", fields, x=x).forward()["y"]
        expected = np.zeros((2, 3, *extents))
        for i, j in itertools.product(range(5), range(4)):
            rows, columns = slice(2 * i, 2 * i + 3), slice(2 * j, 2 * j + 3)
            part = expected[:, :, rows, columns]
            if part.size:
                part += (x[:, :, i, j] / np.prod(part.shape[2:]))[:, :, None, None]
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


def test_unpooling_where_the_mask_says() -> None:
    x, mask = normal(1, 2, 2, 2), np.array([[[[0, 7], [9, 24]], [[24, 3], [-1, 25]]]])
    body = "unpooling_param { kernel_size: 2 stride: 2 }"
    y = run("UnPooling", body, x=x, m=mask).forward()["y"]
    assert y.shape == (1, 2, 5, 5)
    expected = np.zeros((2, 25))
    expected[0, [0, 7, 9, 24]] = x[0, 0].ravel()
    expected[1, [24, 3]] = x[0, 1, 0]  # the others lie beyond the top
    np.testing.assert_allclose(y.reshape(2, 25), expected, rtol=1e-6)


def test_normalization2_is_normalize(tmp_path) -> None:
    file = tmp_path / "net.prototxt"
    file.write_text(
        """layer { name: "x" type: "Input" top: "x"
          input_param { shape { dim: 2 dim: 3 dim: 4 dim: 2 } } }
        layer { name: "n" type: "Normalization2" bottom: "x" top: "y"
          normalization2_param { across_spatial: False channel_shared: False eps: 0.1 esp: 7
            scale_filler { type: "constant" value: 20 } } }"""
    )
    net = caffe.Net(str(file), caffe.TEST)
    x = net.blobs["x"].data[...] = normal(2, 3, 4, 2).astype(np.float32)
    expected = 20 * x / np.sqrt((x**2).sum(1, keepdims=True) + 0.1)
    np.testing.assert_allclose(net.forward()["y"], expected, rtol=1e-5)
    assert net.params["n"][0].data.shape == (3,)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("labels", [1, 2, 3])
def test_contrastive_loss_says_which_pairs_match(legacy: bool, labels: int) -> None:
    a, p = 0.8 * np.random.default_rng(1).standard_normal((2, 40, 2))
    t = np.random.default_rng(2).integers(0, 2, (40, labels))
    similar = (t == t[:, :1]).all(1) if labels > 1 else t[:, 0] == 1
    assert 3 < similar.sum() < 37
    fields = f"margin: 1.2 output_matches: true legacy_version: {str(legacy).lower()}"
    layer = (
        'layer { name: "l" type: "ContrastiveLoss" bottom: "a" bottom: "p" bottom: "t" top: "y" '
        f'top: "m" loss_weight: 1 loss_weight: 0 contrastive_loss_param {{ {fields} }} }}'
    )
    given = {"a": a, "p": p, "t": t}
    fills = {name: (lambda rng, value=value: value) for name, value in given.items()}
    text = net_text(layer, **{name: value.shape for name, value in given.items()})
    tops = LayerRun(LayerCase("ContrastiveLoss", f"pairs{labels}", text, "TRAIN", fills)).forward()
    squared = ((a - p) ** 2).sum(1)
    distance = squared if legacy else np.sqrt(squared)
    near = distance <= 1.2
    assert 3 < near.sum() < 37
    np.testing.assert_array_equal(tops["m"], (near == similar).reshape(40, 1, 1, 1))
    missing = np.maximum(1.2 - distance, 0)
    apart = missing if legacy else missing**2
    assert tops["y"] == pytest.approx(np.where(similar, squared, apart).sum() / 80, rel=1e-5)


def test_memory_data_without_labels(tmp_path) -> None:
    file = tmp_path / "net.prototxt"
    file.write_text(
        """layer { name: "d" type: "MemoryData" top: "x" memory_data_param {
          batch_size: 2 channels: 1 height: 1 width: 3 label_type: NONE label_channels: 1 } }
        layer { name: "p" type: "Power" bottom: "x" top: "y" power_param { scale: 2 } }"""
    )
    net = caffe.Net(str(file), caffe.TEST)
    rows = np.arange(12, dtype=np.float32).reshape(4, 1, 1, 3)
    net.set_input_arrays(rows, np.zeros(4, np.float32))
    for part in (rows[:2], rows[2:], rows[:2]):
        np.testing.assert_array_equal(net.forward()["y"], 2 * part)


@pytest.mark.parametrize(
    ("tops", "fields", "message"),
    [
        ('top: "x"', "", "MemoryData has 1 tops, 2 expected"),
        ('top: "x" top: "t"', "label_type: NONE", "MemoryData has 2 tops, 1 expected"),
        ('top: "x" top: "t"', "label_type: MULTIPLE", "label_type is MULTIPLE"),
        ('top: "x" top: "t"', "label_channels: 3", "label_channels is 3"),
    ],
)
def test_labels_that_memory_data_does_not_have(tmp_path, tops, fields, message) -> None:
    file = tmp_path / "net.prototxt"
    file.write_text(
        f"""layer {{ name: "d" type: "MemoryData" {tops} memory_data_param {{
          batch_size: 2 channels: 1 height: 1 width: 3 {fields} }} }}"""
    )
    with pytest.raises(RoasteryError, match=message):
        caffe.Net(str(file), caffe.TEST)


def test_debug_passes_its_first_bottom_on() -> None:
    x = normal(3, 4)
    np.testing.assert_array_equal(run("Debug", "", x=x, t=np.zeros(3)).forward()["y"], x)


@pytest.mark.parametrize(("fewest", "shape"), [(-1, (3, 5)), (2, (3, 5)), (4, (3, 5, 1, 1))])
def test_inner_product_with_more_axes(fewest: int, shape: tuple[int, ...]) -> None:
    body = f"inner_product_param {{ num_output: 5 min_top_axes: {fewest} }}"
    assert run("InnerProduct", body, x=normal(3, 4)).forward()["y"].shape == shape


MEMORY_LOSS = """
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
layer {
  name: "ip" type: "InnerProduct" bottom: "x" top: "q"
  inner_product_param { num_output: 2 weight_filler { type: "constant" value: 1 } }
}
layer { name: "loss" type: "MemoryLoss" bottom: "q" top: "l" }
"""


def test_memory_loss_is_given_by_a_program(tmp_path) -> None:
    file = tmp_path / "net.prototxt"
    file.write_text(MEMORY_LOSS)
    net = caffe.Net(str(file), caffe.TRAIN)
    net.blobs["x"].data[...] = [[1, 2, 3], [4, 5, 6]]
    assert net.forward()["l"] == 0
    np.testing.assert_array_equal(net.blobs["q"].data, [[6, 6], [15, 15]])
    net.blobs["q"].diff[...] = [[1, 0], [1, -1]]
    net.backward(start="ip")
    np.testing.assert_array_equal(net.params["ip"][0].diff, [[5, 7, 9], [-4, -5, -6]])
    with pytest.raises(RoasteryError, match="comes from a program that calls the net") as refused:
        net.backward()
    assert refused.value.location.line == 7


@pytest.mark.parametrize(
    ("kind", "body", "shapes", "message"),
    [
        ("TripletLoss", "triplet_loss_param { margin: 2 }", "apnt", "`margin` is of happynear's"),
        ("TripletLoss", "triplet_loss_param { alpha: 2 }", "apn", "`alpha` is of MyCaffe's"),
        ("TripletLoss", "", "apntc", "'c', centroids, as fifth bottom"),
        ("ContrastiveLoss", "top: 'm'", "apn", "takes output_matches: true"),
        ("ContrastiveLoss", "", "apd", "holds 24 labels for 6 pairs"),
        ("Normalization2", "", "v", "takes 2 or more axes"),
        ("UnPooling", "", "i", "kernel_size is missing"),
        ("UnPooling", "unpooling_param { kernel_size: 0 }", "i", "the kernel is 0x0"),
        ("UnPooling", "unpooling_param { kernel_h: 2 }", "i", "kernel_h is given without"),
        ("UnPooling", "unpooling_param { kernel_size: 2 stride: 0 }", "i", "the stride is 0"),
        ("UnPooling", "unpooling_param { kernel_size: 2 pad: 2 }", "i", "pad 2x2 is not smaller"),
        (
            "UnPooling",
            "unpooling_param { kernel_size: 2 pad: 1 pool: AVE }",
            "i",
            "padding is for MAX",
        ),
        ("UnPooling", "unpooling_param { kernel_size: 4000000000 }", "i", "kernel_size is 4000"),
        ("UnPooling", "unpooling_param { kernel_size: 2 unpool_size: 4000000000 }", "i", "unpool"),
        ("UnPooling", "unpooling_param { kernel_size: 2 pool: STOCHASTIC }", "i", "no way back"),
        ("UnPooling", "unpooling_param { kernel_size: 2 pool: AVE }", "im", "a mask is for MAX"),
        ("UnPooling", "unpooling_param { kernel_size: 2 }", "ia", "the mask has shape"),
        ("UnPooling", "unpooling_param { kernel_size: 2 }", "a", "4 axes are needed"),
        (
            "InnerProduct",
            "inner_product_param { num_output: 5 min_top_axes: 33 }",
            "a",
            "min_top_axes is 33",
        ),
    ],
)
def test_refusals(kind: str, body: str, shapes: str, message: str) -> None:
    of = {"i": (2, 3, 5, 4), "m": (2, 3, 5, 4), "c": (10, 3), "d": (6, 4), "v": (6,)}
    given = {name: np.zeros(of.get(name, (6, 3))) for name in shapes}
    with pytest.raises(RoasteryError, match=message):
        run(kind, body, **given)
