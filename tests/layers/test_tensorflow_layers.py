"""Layers after TensorFlow's and ONNX', against loops over elements."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import LayerRun


def run(kind: str, body: str, **shapes: tuple[int, ...]) -> tuple[LayerRun, np.ndarray]:
    bottoms = " ".join(f'bottom: "{name}"' for name in shapes)
    layer = f'layer {{ name: "l" type: "{kind}" {bottoms} top: "y" {body} }}'
    r = LayerRun(LayerCase(kind, f"{kind}{body}", net_text(layer, **shapes)))
    return r, r.forward()["y"]


def test_space_to_batch_and_back() -> None:
    sizes = "block_shape: 2 block_shape: 3"
    body = f"space_to_batch_nd_param {{ {sizes} paddings: [1, 0, 0, 2] }}"
    r, y = run("SpaceToBatchND", body, x=(2, 5, 4, 3))
    padded = np.pad(r.values["x"], ((0, 0), (1, 0), (0, 2), (0, 0)))
    assert y.shape == (12, 3, 2, 3)
    for i, j, n in np.ndindex(2, 3, 2):
        np.testing.assert_array_equal(y[(i * 3 + j) * 2 + n], padded[n, i::2, j::3])
    body = f"batch_to_space_nd_param {{ {sizes} crops: [1, 0, 0, 2] }}"
    r, z = run("BatchToSpaceND", body, x=(12, 3, 2, 3))
    assert z.shape == (2, 5, 4, 3)
    for n, h, w in np.ndindex(2, 5, 4):
        image = ((h + 1) % 2 * 3 + w % 3) * 2 + n
        np.testing.assert_array_equal(z[n, h, w], r.values["x"][image, (h + 1) // 2, w // 3])


@pytest.mark.parametrize("form", ["NHWC", "NCHW", "CRD"])
def test_depth_to_space(form: str) -> None:
    shape = (1, 3, 2, 12) if form == "NHWC" else (1, 12, 3, 2)
    body = f'depth_to_space_param {{ block_size: 2 data_format: "{form}" }}'
    r, y = run("DepthToSpace", body, x=shape)
    x = r.values["x"] if form != "NHWC" else r.values["x"].transpose(0, 3, 1, 2)
    y = y if form != "NHWC" else y.transpose(0, 3, 1, 2)
    for c, h, w in np.ndindex(3, 6, 4):
        cell = h % 2 * 2 + w % 2
        source = c * 4 + cell if form == "CRD" else cell * 3 + c
        assert y[0, c, h, w] == x[0, source, h // 2, w // 2]


def place(i: int, scale: float, flags: str, wanted: int) -> float:
    if "pytorch" in flags and wanted == 1:
        return -0.5
    return (i + 0.5) * scale - 0.5 if "half" in flags else i * scale


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [("", 7), ("", 3), ("align_corners: true", 9), ("half_pixel_centers: true", 7),
     ("pytorch_half_pixel: true", 1)],
)  # fmt: skip
def test_resize_bilinear(flags: str, wanted: int) -> None:
    body = f'data_format: "NCHW" output_height: 5 output_width: {wanted} {flags}'
    r, y = run("ResizeBilinear", f"resize_bilinear_param {{ {body} }}", x=(1, 2, 5, 4))
    x = r.values["x"]
    scale = 3 / (wanted - 1) if "align" in flags else 4 / wanted
    for i in range(wanted):
        at = place(i, scale, flags, wanted)
        low, t = max(math.floor(at), 0), at - math.floor(at)
        high = min(math.ceil(at), 3)
        expected = x[..., low] * (1 - t) + x[..., high] * t
        np.testing.assert_allclose(y[..., i], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("flag", ["", "align_corners", "half_pixel_centers", "half_pixel_onnx"])
@pytest.mark.parametrize("wanted", [3, 8, 11])
def test_resize_nearest(flag: str, wanted: int) -> None:
    body = f"output_height: 2 output_width: {wanted} {flag + ': true' if flag else ''}"
    scale = (
        np.float32(5 - 1) / np.float32(wanted - 1)
        if flag == "align_corners"
        else (np.float32(5) / np.float32(wanted))
    )
    r, y = run(
        "ResizeNearestNeighbor",
        f'resize_nearest_neighbor_param {{ data_format: "NCHW" {body} }}',
        x=(1, 3, 2, 5),
    )
    x = r.values["x"]
    for i in range(wanted):
        at = {
            "": math.floor(np.float32(i) * scale),
            "align_corners": math.floor(np.float32(i) * scale + np.float32(0.5)),
            "half_pixel_centers": math.floor(np.float32(i + 0.5) * scale),
            "half_pixel_onnx": math.floor(np.float32(i + 0.5) * scale - 0.5),
        }[flag]
        np.testing.assert_allclose(y[..., i], x[..., max(min(at, 4), 0)], rtol=1e-6)


def test_mul_and_add_broadcast_from_the_last_axis() -> None:
    r, y = run("Mul", "", x=(2, 3, 1, 5), z=(3, 4, 1))
    np.testing.assert_allclose(y, r.values["x"] * r.values["z"], rtol=1e-6)
    r, y = run("Add", "", x=(3, 4), z=(2, 1, 4))
    np.testing.assert_allclose(y, r.values["x"] + r.values["z"], rtol=1e-6)


def test_activations() -> None:
    r, y = run("HardSwish", "", x=(3, 7))
    x = r.values["x"] * 1.0
    np.testing.assert_allclose(y, x * np.clip(x + 3, 0, 6) / 6, rtol=1e-5, atol=1e-6)
    r, y = run("SeLu", "", x=(3, 7))
    x = r.values["x"]
    below = 1.67326324 * np.expm1(np.minimum(x, 0))
    np.testing.assert_allclose(y, 1.050700987 * np.where(x > 0, x, below), rtol=1e-5, atol=1e-6)


def test_squeeze_and_upsample() -> None:
    r, y = run("Squeeze", "", x=(2, 1, 3, 1))
    np.testing.assert_array_equal(y, r.values["x"].reshape(2, 3))
    r, y = run("UpsampleDarknet", "upsample_darknet_param { stride: 3 }", x=(1, 2, 2, 3))
    np.testing.assert_array_equal(y, r.values["x"].repeat(3, 2).repeat(3, 3))


def test_flip_and_channel_scale() -> None:
    r, y = run("Flip", "flip_param { flip_height: true flip_width: false }", x=(1, 2, 3, 2))
    np.testing.assert_array_equal(y, r.values["x"][:, :, ::-1])
    r, y = run("ChannelScale", "", x=(2, 3, 5, 4), s=(2, 1, 5, 4))
    np.testing.assert_allclose(y, r.values["x"] * r.values["s"], rtol=1e-6)


def test_selu_dropout_keeps_mean_and_variance() -> None:
    r, y = run("SeLuDropout", "", x=(300, 100))
    assert abs(y.mean() - r.values["x"].mean()) < 0.05
    assert abs(y.std() - 1) < 0.05
    dropped = np.isclose(y, y.min(), atol=1e-6).mean()
    assert dropped < 0.15
