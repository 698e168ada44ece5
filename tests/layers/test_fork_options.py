"""What fields of forks make of Caffe's layers, against formulas."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import LayerRun


def run(kind: str, body: str, shape: tuple[int, ...], phase: str = "TRAIN", **given) -> LayerRun:
    layer = f'layer {{ name: "l" type: "{kind}" bottom: "x" top: "y" {body} }}'
    fills = {name.replace("_", "/"): (lambda rng, a=a: a) for name, a in given.items()}
    return LayerRun(LayerCase(kind, f"{kind}{body}", net_text(layer, x=shape), phase, fills))


def windows(x, kernel, stride, top, left, rows, columns):
    """Each window of a padded image as (first row, rows, first column, columns) of the image."""
    height, width = x.shape[2:]
    for i in range(rows):
        for j in range(columns):
            y0, x0 = i * stride - top, j * stride - left
            yield (
                i,
                j,
                slice(max(y0, 0), min(y0 + kernel, height)),
                slice(max(x0, 0), min(x0 + kernel, width)),
            )


@pytest.mark.parametrize(
    ("fields", "top", "left", "rows", "columns"),
    [
        ("pad: 1", 1, 1, 4, 4),
        ("pad_l: 0 pad_r: 2 pad_t: 1 pad_b: 0", 1, 0, 3, 4),
        ("pad_type: 1", 0, 1, 3, 4),
        ("pad_t: 1 ceil_mode: false", 1, 0, 3, 3),
        ("pad_t: 0 pad_l: 0 pad: 1", 1, 1, 4, 4),
    ],
)
def test_averages_without_padding(fields, top, left, rows, columns) -> None:
    body = f"pooling_param {{ pool: AVE_EXC_PAD kernel_size: 3 stride: 2 {fields} }}"
    r = run("Pooling", body, (2, 3, 6, 7))
    x, y = r.values["x"], r.forward()["y"]
    assert y.shape == (2, 3, rows, columns)
    for i, j, ys, xs in windows(x, 3, 2, top, left, rows, columns):
        np.testing.assert_allclose(y[:, :, i, j], x[:, :, ys, xs].mean(axis=(2, 3)), rtol=1e-5)


@pytest.mark.parametrize("name", ["AVE_TF", "AVE avg_include_pad: false"])
def test_other_names_of_it(name: str) -> None:
    body = "pooling_param { pool: %s kernel_size: 3 stride: 2 pad: 1 }"
    x = np.random.default_rng(0).normal(size=(1, 2, 5, 5))
    one, two = (run("Pooling", body % pool, x.shape, x=x) for pool in (name, "AVE_EXC_PAD"))
    np.testing.assert_array_equal(one.forward()["y"], two.forward()["y"])


def test_average_with_uneven_padding_counts_the_padding() -> None:
    body = "pooling_param { pool: AVE kernel_size: 2 stride: 2 pad_r: 1 }"
    r = run("Pooling", body, (1, 1, 2, 3))
    x, y = r.values["x"], r.forward()["y"]
    np.testing.assert_allclose(y[0, 0, 0], [x[0, 0, :, :2].mean(), x[0, 0, :, 2].sum() / 4])


def test_convolution_pads_as_said() -> None:
    sides = "pad_l: 1 pad_r: 3 pad_t: 2 pad_b: 0"
    body = "convolution_param { num_output: 2 kernel_size: 3 stride: 2 bias_term: false %s }"
    r = run("Convolution", body % sides, (1, 1, 5, 6))
    x, w, y = r.values["x"], r.values["l/0"], r.forward()["y"]
    padded = np.pad(x, ((0, 0), (0, 0), (2, 0), (1, 3)))
    assert y.shape == (1, 2, 3, 4)
    for i in range(3):
        for j in range(4):
            patch = padded[0, :, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
            np.testing.assert_allclose(y[0, :, i, j], (w * patch).sum((1, 2, 3)), rtol=1e-4)


def test_same_padding_gives_one_output_per_stride() -> None:
    body = (
        "convolution_param { num_output: 1 kernel_size: 3 stride: 2 bias_term: false pad_type: 1 }"
    )
    r = run("Convolution", body, (1, 1, 4, 5))
    x, w, y = r.values["x"], r.values["l/0"], r.forward()["y"]
    padded = np.pad(x, ((0, 0), (0, 0), (0, 1), (1, 1)))  # more behind than before
    assert y.shape == (1, 1, 2, 3)
    np.testing.assert_allclose(y[0, 0, 1, 2], (w * padded[0, :, 2:5, 4:7]).sum(), rtol=1e-4)


def test_pixels_from_channels() -> None:
    r = run("Reshape", "reshape_param { pixelshuffler: 2 }", (1, 8, 2, 3))
    x, y = r.values["x"], r.forward()["y"]
    for c, h, w in np.ndindex(8, 2, 3):
        assert y[0, c // 4, 2 * h + c // 2 % 2, 2 * w + c % 2] == x[0, c, h, w]


def test_nvcaffes_batch_norm() -> None:
    scale, shift = np.array([2.0, -1.0]), np.array([0.5, 3.0])
    none = {"l_0": np.zeros(2), "l_1": np.zeros(2), "l_2": np.zeros(1)}
    learned = {"l_3": scale, "l_4": shift}
    body = "batch_norm_param { moving_average_fraction: 0.75 scale_bias: true }"
    r = run("BatchNorm", body, (3, 2, 4, 5), **none, **learned)
    x, got = r.values["x"], r.forward()
    mean, variance = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
    normal = (x - mean.reshape(1, 2, 1, 1)) / np.sqrt(variance.reshape(1, 2, 1, 1) + 1e-5)
    expected = normal * scale.reshape(1, 2, 1, 1) + shift.reshape(1, 2, 1, 1)
    np.testing.assert_allclose(got["y"], expected, rtol=1e-5, atol=1e-6)
    # The first statistics are taken as they are, later ones are averaged.
    np.testing.assert_allclose(got["l/0"], mean, rtol=1e-5)
    np.testing.assert_allclose(got["l/1"], variance * 60 / 59, rtol=1e-5)
    assert got["l/2"] == 1
    old = {"l_0": np.array([1.0, 2.0]), "l_1": np.array([3.0, 4.0]), "l_2": np.ones(1)}
    r = run("BatchNorm", body, (3, 2, 4, 5), **old, **learned)
    got, mean = r.forward(), r.values["x"].mean(axis=(0, 2, 3))
    np.testing.assert_allclose(got["l/0"], 0.75 * old["l_0"] + 0.25 * mean, rtol=1e-5)
    r = run("BatchNorm", body, (3, 2, 4, 5), "TEST", **old, **learned)
    stored = (r.values["x"] - np.reshape([1, 2], (1, 2, 1, 1))) / np.sqrt(
        np.reshape([3, 4], (1, 2, 1, 1)) + 1e-5
    )
    expected = stored * scale.reshape(1, 2, 1, 1) + shift.reshape(1, 2, 1, 1)
    np.testing.assert_allclose(r.forward()["y"], expected, rtol=1e-5, atol=1e-6)
