"""Convolution, pooling and LRN against their definitions, written out as plain loops."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import LayerRun


def run(
    kind: str, body: str, shape: tuple[int, ...], tops: str = 'top: "y"', phase="TEST", **given
) -> LayerRun:
    layer = f'layer {{ name: "l" type: "{kind}" bottom: "x" {tops} {body} }}'
    fills = {name: (lambda rng, a=array: a) for name, array in given.items()}
    return LayerRun(LayerCase(kind, f"{kind}{body}{shape}", net_text(layer, x=shape), phase, fills))


def convolution(x, w, bias, stride, pad, dilation, group):
    """The sum over every window, element by element."""
    n, spatial, window = x.shape[0], x.shape[2:], w.shape[2:]
    out = [
        (d + 2 * p - (t * (k - 1) + 1)) // s + 1
        for d, k, s, p, t in zip(spatial, window, stride, pad, dilation, strict=True)
    ]
    y = np.zeros((n, w.shape[0], *out))
    per_group = w.shape[0] // group
    for i, o in itertools.product(range(n), range(w.shape[0])):
        first = o // per_group * w.shape[1]
        for place in itertools.product(*map(range, out)):
            total = bias[o]
            for c, *tap in itertools.product(range(w.shape[1]), *map(range, window)):
                at = [
                    q * s - p + t * k
                    for q, s, p, t, k in zip(place, stride, pad, dilation, tap, strict=True)
                ]
                if all(0 <= a < d for a, d in zip(at, spatial, strict=True)):
                    total += w[(o, c, *tap)] * x[(i, first + c, *at)]
            y[(i, o, *place)] = total
    return y


CONVOLUTIONS = [
    # channels, outputs, group, spatial, window, stride, pad, dilation
    (2, 3, 1, (5, 4), (3, 2), (1, 1), (0, 0), (1, 1)),
    (4, 6, 2, (6, 5), (3, 3), (2, 3), (1, 2), (1, 1)),
    (3, 3, 3, (7, 6), (2, 3), (1, 2), (2, 0), (3, 2)),
    (2, 2, 1, (9,), (4,), (3,), (2,), (2,)),
    (2, 4, 2, (3, 4, 3), (2, 1, 3), (1, 2, 1), (1, 0, 1), (1, 1, 1)),
]


def _repeated(name: str, values: tuple[int, ...]) -> str:
    return " ".join(f"{name}: {v}" for v in values)


@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_convolution(case) -> None:
    channels, outputs, group, spatial, window, stride, pad, dilation = case
    body = " ".join(
        [
            f"num_output: {outputs} group: {group}",
            _repeated("kernel_size", window),
            _repeated("stride", stride),
            _repeated("pad", pad),
            _repeated("dilation", dilation),
        ]
    )
    r = run("Convolution", f"convolution_param {{ {body} }}", (2, channels, *spatial))
    v = r.values
    expected = convolution(v["x"], v["l/0"], v["l/1"], stride, pad, dilation, group)
    np.testing.assert_allclose(r.forward()["y"], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_deconvolution_is_the_transpose_of_convolution(case) -> None:
    channels, outputs, group, spatial, window, stride, pad, dilation = case
    body = " ".join(
        [
            f"num_output: {channels} group: {group} bias_term: false",
            _repeated("kernel_size", window),
            _repeated("stride", stride),
            _repeated("pad", pad),
            _repeated("dilation", dilation),
        ]
    )
    r = run("Deconvolution", f"convolution_param {{ {body} }}", (2, outputs, *spatial))
    y = r.forward()["y"]
    extents = [
        s * (d - 1) + t * (k - 1) + 1 - 2 * p
        for d, k, s, p, t in zip(spatial, window, stride, pad, dilation, strict=True)
    ]
    assert y.shape == (2, channels, *extents)
    weights = r.values["l/0"]
    assert weights.shape == (outputs, channels // group, *window)
    probe = np.random.default_rng(0).standard_normal(y.shape)
    there = convolution(probe, weights, np.zeros(outputs), stride, pad, dilation, group)
    assert np.vdot(y, probe) == pytest.approx(np.vdot(r.values["x"], there), rel=1e-6)


def test_im2col_lays_windows_along_the_channels() -> None:
    r = run(
        "Im2col", "convolution_param { kernel_h: 2 kernel_w: 3 pad: 1 stride: 2 }", (2, 3, 4, 5)
    )
    x = np.pad(r.values["x"], ((0, 0), (0, 0), (1, 1), (1, 1)))
    y = r.forward()["y"]
    assert y.shape == (2, 18, 3, 3)
    for c, h, w, i, j in itertools.product(range(3), range(2), range(3), range(3), range(3)):
        np.testing.assert_array_equal(y[:, c * 6 + h * 3 + w, i, j], x[:, c, 2 * i + h, 2 * j + w])


def pooling(x, method, kernel, stride, pad, ceil):
    """Caffe's loops: value, and place of the maximum."""
    h, w = x.shape[2:]
    out = []
    for d, k, s, p in zip((h, w), kernel, stride, pad, strict=True):
        span = (d + 2 * p - k) / s
        count = int(math.ceil(span) if ceil else math.floor(span)) + 1
        if any(pad) and (count - 1) * s >= d + p:
            count -= 1
        out.append(count)
    y = np.zeros((*x.shape[:2], *out))
    places = np.zeros(y.shape)
    for n, c, i, j in np.ndindex(*y.shape):
        top, left = i * stride[0] - pad[0], j * stride[1] - pad[1]
        bottom = min(top + kernel[0], h + pad[0])
        right = min(left + kernel[1], w + pad[1])
        size = (bottom - top) * (right - left)
        best, total, where = -np.finfo(np.float32).max, 0.0, -1
        for a in range(max(top, 0), min(bottom, h)):
            for b in range(max(left, 0), min(right, w)):
                total += x[n, c, a, b]
                if x[n, c, a, b] > best:
                    best, where = x[n, c, a, b], a * w + b
        y[n, c, i, j] = best if method == "MAX" else total / size
        places[n, c, i, j] = where
    return y, places


POOLS = [
    # extents, kernel, stride, pad
    ((6, 7), (3, 3), (2, 2), (0, 0)),
    ((6, 7), (3, 3), (2, 2), (1, 1)),
    ((5, 4), (2, 3), (3, 2), (1, 2)),
    ((7, 7), (3, 2), (1, 3), (0, 1)),
    ((3, 3), (4, 4), (2, 2), (0, 0)),  # a window larger than the image, by ceil rounding
    ((9, 5), (5, 5), (4, 4), (4, 4)),
]


ROUNDED = [(*pool, ceil) for pool in POOLS for ceil in (True, False) if ceil or pool[0] != (3, 3)]


@pytest.mark.parametrize("method", ["MAX", "AVE"])
@pytest.mark.parametrize(("extents", "kernel", "stride", "pad", "ceil"), ROUNDED)
def test_pooling(extents, kernel, stride, pad, ceil, method) -> None:
    body = " ".join(
        f"{name}_h: {pair[0]} {name}_w: {pair[1]}"
        for name, pair in (("kernel", kernel), ("stride", stride), ("pad", pad))
    )
    mode = "CEIL" if ceil else "FLOOR"
    tops = 'top: "y" top: "m"' if method == "MAX" else 'top: "y"'
    values = np.random.default_rng(3).integers(-3, 4, (2, 2, *extents))  # many ties
    r = run(
        "Pooling",
        f"pooling_param {{ pool: {method} round_mode: {mode} {body} }}",
        (2, 2, *extents),
        tops,
        x=values,
    )
    got = r.forward()
    value, place = pooling(r.values["x"], method, kernel, stride, pad, ceil)
    np.testing.assert_allclose(got["y"], value, rtol=1e-12)
    if method == "MAX":
        np.testing.assert_array_equal(got["m"], place)


@pytest.mark.parametrize("body", ["global_pooling: true", "kernel_size: 3 stride: 2"])
def test_max_pooling_gives_the_gradient_to_the_first_of_equal_maxima(body: str) -> None:
    values = np.random.default_rng(5).integers(0, 2, (2, 3, 5, 5))
    layer = f"pooling_param {{ {body} }}"
    r = run("Pooling", layer, (2, 3, 5, 5), 'top: "y" top: "m"', x=values)
    places = r.forward()["m"].astype(int)
    g = np.random.default_rng(6).standard_normal(places.shape)
    expected = np.zeros((2, 3, 25))
    for n, c, i, j in np.ndindex(*places.shape):
        expected[n, c, places[n, c, i, j]] += g[n, c, i, j]
    got = r.gradients({"y": g})["x"]
    np.testing.assert_allclose(got, expected.reshape(2, 3, 5, 5))
    first = values.reshape(2, 3, 25).argmax(axis=2)
    if "global" in body:
        np.testing.assert_array_equal(places[:, :, 0, 0], first)


def test_global_average() -> None:
    r = run("Pooling", "pooling_param { pool: AVE global_pooling: true }", (2, 3, 4, 5))
    expected = r.values["x"].mean(axis=(2, 3), keepdims=True)
    np.testing.assert_allclose(r.forward()["y"], expected)


def test_stochastic_pooling_draws_elements_in_proportion_to_their_value() -> None:
    values = np.tile([[1.0, 2.0], [0.0, 5.0]], (20, 50, 8, 8)).reshape(20, 50, 16, 16)
    body = "pooling_param { pool: STOCHASTIC kernel_size: 2 stride: 2 }"
    r = run("Pooling", body, values.shape, phase="TRAIN", x=values)
    y = r.forward()["y"]
    shares = {v: float(np.mean(y == v)) for v in (0.0, 1.0, 2.0, 5.0)}
    assert sum(shares.values()) == 1.0
    assert shares[0.0] == 0.0
    for value in (1.0, 2.0, 5.0):
        assert shares[value] == pytest.approx(value / 8.0, abs=0.01)
    gradient = r.gradients({"y": np.ones(y.shape)})["x"]
    np.testing.assert_array_equal(np.unique(gradient), [0.0, 1.0])
    picked = (gradient * values).reshape(20, 50, 8, 2, 8, 2).sum(axis=(3, 5))
    np.testing.assert_array_equal(picked, y)  # the same element forward and backward


def test_stochastic_pooling_tests_with_the_weighted_mean() -> None:
    values = np.array([[1.0, 2.0, 0.0], [3.0, 2.0, 0.0], [0.0, 0.0, 0.0]]).reshape(1, 1, 3, 3)
    body = "pooling_param { pool: STOCHASTIC kernel_size: 2 stride: 2 }"
    y = run("Pooling", body, (1, 1, 3, 3), x=values).forward()["y"]
    np.testing.assert_allclose(y[0, 0], [[18.0 / 8.0, 0.0], [0.0, 0.0]])


def test_spp_is_poolings_side_by_side() -> None:
    x = (2, 3, 7, 9)
    r = run("SPP", "spp_param { pyramid_height: 3 pool: AVE }", x)
    parts = []
    for bins in (1, 2, 4):
        kernel = [math.ceil(d / bins) for d in x[2:]]
        pad = [(k * bins - d + 1) // 2 for k, d in zip(kernel, x[2:], strict=True)]
        y, _ = pooling(r.values["x"], "AVE", kernel, kernel, pad, True)
        parts.append(y.reshape(2, -1))
    np.testing.assert_allclose(r.forward()["y"], np.concatenate(parts, axis=1), rtol=1e-12)


@pytest.mark.parametrize("size", [1, 3, 5, 21])
def test_lrn_across_channels(size: int) -> None:
    body = f"lrn_param {{ local_size: {size} alpha: 0.3 beta: 0.6 k: 1.5 }}"
    r = run("LRN", body, (2, 6, 2, 3))
    x = r.values["x"]
    scale = np.empty_like(x)
    for c in range(6):
        near = x[:, max(0, c - size // 2) : c + size // 2 + 1]
        scale[:, c] = 1.5 + 0.3 / size * (near**2).sum(axis=1)
    np.testing.assert_allclose(r.forward()["y"], x * scale**-0.6, rtol=1e-6)


@pytest.mark.parametrize("size", [1, 3, 5, 21])
def test_lrn_within_a_channel_ignores_k(size: int) -> None:
    body = (
        f"lrn_param {{ local_size: {size} alpha: 0.3 beta: 0.6 k: 9 norm_region: WITHIN_CHANNEL }}"
    )
    r = run("LRN", body, (2, 3, 4, 5))
    x = r.values["x"]
    pad = size // 2
    squares = np.pad(x**2, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    total = np.zeros_like(x)
    for i, j in itertools.product(range(size), range(size)):
        total += squares[:, :, i : i + 4, j : j + 5]
    expected = x * (1.0 + 0.3 * total / size**2) ** -0.6
    np.testing.assert_allclose(r.forward()["y"], expected, rtol=1e-6)


def test_interp_puts_corners_on_corners() -> None:
    r = run("Interp", "interp_param { height: 7 width: 9 }", (2, 3, 4, 5))
    x = r.values["x"]
    rows, columns = np.linspace(0, 3, 7), np.linspace(0, 4, 9)
    top = np.minimum(rows.astype(int), 2)
    left = np.minimum(columns.astype(int), 3)
    a, b = (rows - top)[:, None], (columns - left)[None, :]
    expected = (1 - a) * ((1 - b) * x[:, :, top][..., left] + b * x[:, :, top][..., left + 1])
    expected += a * ((1 - b) * x[:, :, top + 1][..., left] + b * x[:, :, top + 1][..., left + 1])
    np.testing.assert_allclose(r.forward()["y"], expected, rtol=1e-6, atol=1e-9)
