"""Layers with an axis, an offset or a shared operand, against numpy on awkward choices."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import LayerRun

SHAPE = (2, 3, 4, 5)


def run(kind: str, body: str, tops: str = 'top: "y"', **bottoms: np.ndarray) -> LayerRun:
    names = " ".join(f'bottom: "{name}"' for name in bottoms)
    layer = f'layer {{ name: "l" type: "{kind}" {names} {tops} {body} }}'
    net = net_text(layer, **{name: np.shape(a) for name, a in bottoms.items()})
    fills = {name: (lambda rng, a=a: a) for name, a in bottoms.items()}
    return LayerRun(LayerCase(kind, kind + body, net, "TRAIN", fills))


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize(
    ("body", "shape", "view"),
    [
        ("axis: -1", (5,), (1, 1, 1, 5)),
        ("axis: -3 num_axes: 2", (3, 4), (1, 3, 4, 1)),
        ("axis: 2 num_axes: -1", (4, 5), (1, 1, 4, 5)),
        ("axis: 0 num_axes: -1", SHAPE, SHAPE),
        ("axis: 3 num_axes: 0", (), (1, 1, 1, 1)),
    ],
)
@pytest.mark.parametrize("learned", [True, False])
def test_scale_and_bias(
    body: str, shape: tuple[int, ...], view: tuple[int, ...], learned: bool
) -> None:
    x, g = numbers(*SHAPE), numbers(*SHAPE, seed=1)
    given = {} if learned else {"w": numbers(*shape, seed=2)}
    axes = tuple(i for i, d in enumerate(view) if d == 1)

    r = run("Scale", f"scale_param {{ {body} bias_term: true }}", x=x, **given)
    scale, bias = ("l/0", "l/1") if learned else ("w", "l/0")
    w, b = r.values[scale], r.values[bias]
    assert w.shape == b.shape == shape
    np.testing.assert_allclose(r.forward()["y"], x * w.reshape(view) + b.reshape(view))
    got = r.gradients({"y": g})
    np.testing.assert_allclose(got["x"], g * w.reshape(view))
    np.testing.assert_allclose(got[scale], (g * x).sum(axis=axes).reshape(shape))
    np.testing.assert_allclose(got[bias], g.sum(axis=axes).reshape(shape))

    r = run("Bias", f"bias_param {{ {body} }}", x=x, **given)
    name = "l/0" if learned else "w"
    np.testing.assert_allclose(r.forward()["y"], x + r.values[name].reshape(view))
    np.testing.assert_allclose(
        r.gradients({"y": g})[name], g.sum(axis=axes).reshape(shape), atol=1e-12
    )


@pytest.mark.parametrize(
    ("operation", "value", "slope"),
    [
        ("SUM", lambda x: x, np.ones_like),
        ("ASUM", np.abs, np.sign),
        ("SUMSQ", lambda x: x**2, lambda x: 2 * x),
        ("MEAN", lambda x: x / 20, lambda x: np.full_like(x, 1 / 20)),
    ],
)
def test_reduction_from_a_negative_axis(operation: str, value, slope) -> None:
    x, g = numbers(*SHAPE), numbers(2, 3, seed=1)
    r = run("Reduction", f"reduction_param {{ operation: {operation} axis: -2 coeff: -3 }}", x=x)
    np.testing.assert_allclose(r.forward()["y"], -3 * value(x).sum(axis=(2, 3)))
    np.testing.assert_allclose(r.gradients({"y": g})["x"], -3 * slope(x) * g[:, :, None, None])


def test_concat_and_slice_along_negative_axes_are_inverse() -> None:
    x, g = numbers(*SHAPE), numbers(*SHAPE, seed=1)
    body = "slice_param { axis: -2 slice_point: 1 slice_point: 3 }"
    r = run("Slice", body, 'top: "a" top: "b" top: "c"', x=x)
    out = r.forward()
    parts = np.split(x, (1, 3), axis=2)
    for name, part in zip("abc", parts, strict=True):
        np.testing.assert_array_equal(out[name], part)
    seeds = dict(zip("abc", np.split(g, (1, 3), axis=2), strict=True))
    np.testing.assert_array_equal(r.gradients(seeds)["x"], g)
    r = run("Concat", "concat_param { axis: -2 }", **dict(zip("abc", parts, strict=True)))
    np.testing.assert_array_equal(r.forward()["y"], x)
    got = r.gradients({"y": g})
    for name, part in seeds.items():
        np.testing.assert_array_equal(got[name], part)


@pytest.mark.parametrize("axis", [0, 1, -1, -3])
def test_tile_adds_up_the_gradients_of_its_copies(axis: int) -> None:
    x = numbers(*SHAPE)
    r = run("Tile", f"tile_param {{ axis: {axis} tiles: 3 }}", x=x)
    y = r.forward()["y"]
    np.testing.assert_array_equal(y, np.concatenate([x] * 3, axis=axis))
    g = numbers(*y.shape, seed=1)
    expected = sum(np.split(g, 3, axis=axis))
    np.testing.assert_allclose(r.gradients({"y": g})["x"], expected)


@pytest.mark.parametrize(
    ("body", "start", "shape"),
    [
        ("", (0, 0, 0, 0), (2, 3, 3, 3)),
        ("offset: 1", (0, 0, 1, 1), (2, 3, 3, 3)),
        ("axis: -1 offset: 2", (0, 0, 0, 2), (2, 3, 4, 3)),
        ("axis: 1 offset: 0 offset: 1 offset: 2", (0, 0, 1, 2), (2, 2, 3, 3)),
        ("axis: 0 offset: 1 offset: 1 offset: 0 offset: 2", (1, 1, 0, 2), (1, 2, 3, 3)),
    ],
)
def test_crop(body: str, start: tuple[int, ...], shape: tuple[int, ...]) -> None:
    x, like = numbers(*SHAPE), np.zeros((1, 2, 3, 3))
    place = tuple(slice(a, a + d) for a, d in zip(start, shape, strict=True))
    r = run("Crop", f"crop_param {{ {body} }}", x=x, like=like)
    np.testing.assert_array_equal(r.forward()["y"], x[place])
    g = numbers(*shape, seed=1)
    expected = np.zeros(SHAPE)
    expected[place] = g
    np.testing.assert_array_equal(r.gradients({"y": g})["x"], expected)


@pytest.mark.parametrize("bias", [True, False])
def test_embed_adds_up_the_gradients_of_repeated_rows(bias: bool) -> None:
    x = np.array([[3.0, 0.0], [3.0, 1.0], [0.9, 3.0]])  # Caffe cuts fractions off
    body = f"embed_param {{ input_dim: 4 num_output: 5 bias_term: {str(bias).lower()} }}"
    r = run("Embed", body, x=x)
    assert ("l/1" in r.values) == bias
    rows, offset = x.astype(int), r.values.get("l/1", 0.0)
    np.testing.assert_allclose(r.forward()["y"], r.values["l/0"][rows] + offset)
    g = numbers(3, 2, 5, seed=1)
    expected = np.zeros((4, 5))
    np.add.at(expected, rows, g)
    got = r.gradients({"y": g})
    np.testing.assert_allclose(got["l/0"], expected)
    if bias:
        np.testing.assert_allclose(got["l/1"], g.sum(axis=(0, 1)))


def test_im2col_with_dilation() -> None:
    x = numbers(2, 3, 7, 6)
    body = "convolution_param { kernel_h: 2 kernel_w: 3 dilation: 3 dilation: 2 pad: 1 stride: 2 }"
    y = run("Im2col", body, x=x).forward()["y"]
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    assert y.shape == (2, 18, 3, 2)
    for c, h, w, i, j in itertools.product(range(3), range(2), range(3), range(3), range(2)):
        np.testing.assert_array_equal(
            y[:, c * 6 + h * 3 + w, i, j], padded[:, c, 2 * i + 3 * h, 2 * j + 2 * w]
        )


def test_prelu_with_one_slope() -> None:
    x, g = numbers(*SHAPE), numbers(*SHAPE, seed=1)
    r = run("PReLU", "prelu_param { channel_shared: true }", x=x)
    slope = r.values["l/0"]
    assert slope.shape == ()
    np.testing.assert_allclose(r.forward()["y"], np.where(x > 0, x, slope * x))
    got = r.gradients({"y": g})
    np.testing.assert_allclose(got["l/0"], (g * np.minimum(x, 0)).sum())
    np.testing.assert_allclose(got["x"], g * np.where(x > 0, 1.0, slope))


@pytest.mark.parametrize("across", ["true", "false"])
def test_mvn_without_variance(across: str) -> None:
    x, g = numbers(*SHAPE), numbers(*SHAPE, seed=1)
    axes = (1, 2, 3) if across == "true" else (2, 3)
    body = f"mvn_param {{ normalize_variance: false across_channels: {across} }}"
    r = run("MVN", body, x=x)
    np.testing.assert_allclose(r.forward()["y"], x - x.mean(axis=axes, keepdims=True))
    np.testing.assert_allclose(
        r.gradients({"y": g})["x"], g - g.mean(axis=axes, keepdims=True), atol=1e-12
    )


@pytest.mark.parametrize("stride", [2, 4])
def test_average_pooling_spreads_the_gradient_by_each_window_s_divisor(stride: int) -> None:
    """Windows that overlap, and windows with gaps between; both with padding and overhang."""
    kernel, pad, (height, width) = 3, 1, (6, 8)
    body = f"pooling_param {{ pool: AVE kernel_size: {kernel} stride: {stride} pad: {pad} }}"
    r = run("Pooling", body, x=numbers(1, 1, height, width))
    y = r.forward()["y"]
    g = numbers(*y.shape, seed=1)
    expected = np.zeros((height, width))
    for i, j in np.ndindex(*y.shape[2:]):
        top, left = i * stride - pad, j * stride - pad
        bottom, right = min(top + kernel, height + pad), min(left + kernel, width + pad)
        share = g[0, 0, i, j] / ((bottom - top) * (right - left))
        expected[max(top, 0) : bottom, max(left, 0) : right] += share
    np.testing.assert_allclose(r.gradients({"y": g})["x"][0, 0], expected)
