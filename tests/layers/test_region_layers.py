"""Layers of regions against plain loops, on the devices that everybody has."""

from __future__ import annotations

import math

import numpy as np
import pytest

from compiler.options import CompileOptions
from ir.errors import RoasteryError
from roastery.devices.backends import open_backend
from roastery.reading import nets
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from tests.support.layer_cases import net_text
from tests.support.lowering import program_of

DEVICES = ("cpu", "reference")


def away_from_zero(a: float) -> int:
    return int(math.copysign(math.floor(abs(a) + 0.5), a))


def pooled(
    x: np.ndarray, regions: np.ndarray, rows: int, columns: int, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    count, (_, channels, height, width) = len(regions), x.shape
    best = np.zeros((count, channels, rows, columns), x.dtype)
    place = np.full(best.shape, -1, np.int32)

    for n, (image, *corners) in enumerate(regions):
        left, top, right, bottom = (away_from_zero(c * scale) for c in corners)
        cell_h = np.float32(max(bottom - top + 1, 1)) / np.float32(rows)
        cell_w = np.float32(max(right - left + 1, 1)) / np.float32(columns)
        for i, j in np.ndindex(rows, columns):
            h0, h1 = (
                min(max(int(e) + top, 0), height)
                for e in (np.floor(i * cell_h), np.ceil((i + 1) * cell_h))
            )
            w0, w1 = (
                min(max(int(e) + left, 0), width)
                for e in (np.floor(j * cell_w), np.ceil((j + 1) * cell_w))
            )
            for c in range(channels):
                part = x[int(image), c, h0:h1, w0:w1]
                if part.size:
                    h, w = np.unravel_index(np.argmax(part), part.shape)
                    best[n, c, i, j] = part[h, w]
                    place[n, c, i, j] = (h + h0) * width + w + w0
    return best, place


def run(
    kind: str, param: str, x: np.ndarray, regions: np.ndarray, device: str, seed: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """The top, and the diff of ``x`` where that of the top is ``seed``."""
    layer = f'layer {{ name: "l" type: "{kind}" bottom: "x" bottom: "r" top: "y" {param} }}'
    message = nets.net_from_text(net_text(layer, x=x.shape, r=regions.shape), "net.prototxt")
    program, backend = program_of(message, "TRAIN"), open_backend(device)
    store, options = Store(program.variables, seed=1), CompileOptions(backend.target)
    net = PartitionedNet(program, backend, store, options=options)
    net.inputs.take({"x": x, "r": regions})
    net.prepare_backward()
    net.forward()
    top = net.output("y").copy()
    return top, net.backward_from({"y": np.broadcast_to(np.float32(seed), top.shape)})["x"].copy()


def run_pooling(
    x: np.ndarray, regions: np.ndarray, rows: int, columns: int, scale: float, device: str
) -> tuple[np.ndarray, np.ndarray]:
    """Maxima, and how often each element of ``x`` is one."""
    param = f"pooled_h: {rows} pooled_w: {columns} spatial_scale: {scale}"
    return run("ROIPooling", f"roi_pooling_param {{ {param} }}", x, regions, device, 1.0)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("grid", [(1, 1), (2, 3), (7, 5)])
def test_roi_pooling_equals_a_plain_loop(grid: tuple[int, int], device: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(-4, 5, (2, 3, 11, 13)).astype(np.float32)  # many equal elements
    corners = rng.uniform(-60, 250, (40, 4))
    corners[:30, 2:] = corners[:30, :2] + rng.uniform(0, 150, (30, 2))
    corners[30:] = 8 * np.round(corners[30:] / 8)  # halves of pixels
    regions = np.column_stack([rng.integers(0, 2, 40), corners]).astype(np.float32)
    best, diff = run_pooling(x, regions, *grid, 0.0625, device)
    expected, place = pooled(x, regions, *grid, 0.0625)
    np.testing.assert_array_equal(best, expected)
    image = np.broadcast_to(regions[:, 0].astype(int)[:, None, None, None], place.shape)
    channel = np.broadcast_to(np.arange(3)[:, None, None], place.shape)
    counted = np.zeros(x.shape, np.float32)
    there = place >= 0
    spots = np.unravel_index(place[there], x.shape[2:])
    np.add.at(counted, (image[there], channel[there], *spots), 1.0)
    np.testing.assert_array_equal(diff, counted)
    assert (place == -1).any()


@pytest.mark.parametrize("device", DEVICES)
def test_regions_that_are_nowhere(device: str) -> None:
    """In no image of the batch, in none by far, at no number."""
    x = np.ones((1, 2, 4, 4), np.float32)
    far = [[0, 1e9, 1e9, 2e9, 2e9], [0, -3e38, -3e38, -1e38, -1e38], [np.nan, 0, 0, 3, 3]]
    regions = np.array([[5, 0, 0, 3, 3], [-1, 0, 0, 3, 3], *far, [0, *[np.nan] * 4]], np.float32)
    best, diff = run_pooling(x, regions, 2, 2, 1.0, device)
    assert best.shape == (6, 2, 2, 2) and not best.any() and not diff.any()
    regions = np.array([[0, -3e38, -3e38, 3e38, 3e38], [-0.5, 0, 0, 0, 0]], np.float32)
    assert run_pooling(x, regions, 1, 1, 1.0, device)[0].tolist() == np.ones((2, 2, 1, 1)).tolist()


def boxes(rng: np.random.Generator, count: int, images: int) -> np.ndarray:
    """Of all kinds: inside, outside, of no extent, of the wrong order."""
    corners = rng.uniform(-60, 250, (count, 4))
    corners[count // 4 :, 2:] = corners[count // 4 :, :2] + rng.uniform(0, 150, (count * 3 // 4, 2))
    corners[:3, 2:] = corners[:3, :2]
    return np.column_stack([rng.integers(-1, images + 1, count), corners]).astype(np.float32)


def averaged(x: np.ndarray, regions: np.ndarray, dim: int, group: int, scale: float) -> np.ndarray:
    """PSROIPooling, in float32."""
    one = np.float32
    images, _, height, width = x.shape
    top = np.zeros((len(regions), dim, group, group), one)

    def ends(first: float, last: float, cell: int, extent: int) -> tuple[int, int]:
        start, end = (one(away_from_zero(v) + i) * one(scale) for i, v in enumerate((first, last)))
        size = max(end - start, one(0.1)) / one(group)
        begin, stop = np.floor(one(cell) * size + start), np.ceil(one(cell + 1) * size + start)
        return min(max(int(begin), 0), extent), min(max(int(stop), 0), extent)

    for n, (image, x1, y1, x2, y2) in enumerate(regions):
        for i, j in np.ndindex(group, group):
            (h0, h1), (w0, w1) = ends(y1, y2, i, height), ends(x1, x2, j, width)
            if 0 <= image < images and h0 < h1 and w0 < w1:
                own = slice(i * group + j, None, group * group)
                top[n, :, i, j] = x[int(image), own, h0:h1, w0:w1].mean((1, 2))
    return top


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("dim", "group", "scale"), [(2, 3, 0.0625), (21, 1, 0.1), (1, 7, 0.3)])
def test_psroi_pooling_equals_a_plain_loop(dim: int, group: int, scale: float, device: str) -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((2, dim * group * group, 9, 12)).astype(np.float32)
    regions = boxes(rng, 60, 2)
    regions[30:, 1:] = np.round(2 * regions[30:, 1:]) / 2  # whole numbers and halves
    param = (
        f"psroi_pooling_param {{ spatial_scale: {scale} output_dim: {dim} group_size: {group} }}"
    )
    seed = rng.standard_normal((60, dim, group, group)).astype(np.float32)
    top, diff = run("PSROIPooling", param, x, regions, device, seed)
    expected = averaged(x, regions, dim, group, scale)
    np.testing.assert_allclose(top, expected, rtol=1e-4, atol=1e-5)
    assert np.vdot(diff, x) == pytest.approx(np.vdot(seed, expected), rel=1e-3)
    assert np.count_nonzero(expected) and not expected.all()


def sampled(
    x: np.ndarray, regions: np.ndarray, grid: tuple[int, int], scale: float, ratio: int
) -> np.ndarray:
    """ROIAlign: sample by sample."""
    images, channels, height, width = x.shape
    top = np.zeros((len(regions), channels, *grid))

    def at(plane: np.ndarray, y: float, x: float) -> np.ndarray:
        if y < -1 or y > height or x < -1 or x > width:
            return np.zeros(channels)
        y, x = min(max(y, 0.0), height - 1), min(max(x, 0.0), width - 1)
        h, w = int(y), int(x)
        h2, w2 = min(h + 1, height - 1), min(w + 1, width - 1)
        y, x = y - h, x - w
        above = plane[:, h, w] * (1 - x) + plane[:, h, w2] * x
        return above * (1 - y) + (plane[:, h2, w] * (1 - x) + plane[:, h2, w2] * x) * y

    for n, (image, *corners) in enumerate(regions):
        left, above, right, below = (float(c) * scale for c in corners)
        if not 0 <= image < images:
            continue
        size = max(below - above, 1.0) / grid[0], max(right - left, 1.0) / grid[1]
        counts = (ratio, ratio) if ratio > 0 else tuple(map(math.ceil, size))
        for i, j in np.ndindex(*grid):
            total = np.zeros(channels)
            for a, b in np.ndindex(*counts):
                y = above + (i + (a + 0.5) / counts[0]) * size[0]
                total += at(x[int(image)], y, left + (j + (b + 0.5) / counts[1]) * size[1])
            top[n, :, i, j] = total / math.prod(counts)
    return top


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("ratio", [-1, 0, 1, 2, 3])
@pytest.mark.parametrize("grid", [(1, 1), (3, 2)])
def test_roi_align_equals_a_plain_loop(grid: tuple[int, int], ratio: int, device: str) -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((2, 3, 11, 13)).astype(np.float32)
    regions = boxes(rng, 40, 2)
    param = f"pooled_h: {grid[0]} pooled_w: {grid[1]} spatial_scale: 0.0625"
    param = f"roi_align_param {{ {param} sampling_ratio: {ratio} }}"
    seed = rng.standard_normal((40, 3, *grid)).astype(np.float32)
    top, diff = run("ROIAlign", param, x, regions, device, seed)
    expected = sampled(x, regions, grid, 0.0625, ratio)
    np.testing.assert_allclose(top, expected, atol=2e-5)
    assert np.vdot(diff, x) == pytest.approx(np.vdot(seed, expected), rel=1e-3)


@pytest.mark.parametrize("device", DEVICES)
def test_roi_align_on_one_pixel(device: str) -> None:
    x = np.full((1, 2, 1, 1), 3.0, np.float32)
    regions = np.array([[0, 0, 0, 0, 0], [0, 2, 0, 3, 1], [0, -3, -3, -3, -3]], np.float32)
    param = "roi_align_param { pooled_h: 1 pooled_w: 1 }"
    top, diff = run("ROIAlign", param, x, regions, device, 1.0)
    assert top[:, 0, 0, 0].tolist() == [3.0, 0.0, 0.0] and diff.ravel().tolist() == [1.0, 1.0]


def refused(kind: str, param: str, channels: int = 12) -> str:
    layer = f'layer {{ name: "l" type: "{kind}" bottom: "x" bottom: "r" top: "y" {param} }}'
    text = net_text(layer, x=(2, channels, 5, 5), r=(3, 5))
    with pytest.raises(RoasteryError) as caught:
        program_of(nets.net_from_text(text, "net.prototxt"), "TEST")
    return str(caught.value)


def test_what_is_refused() -> None:
    assert "pooled_w is missing or 0" in refused("ROIPooling", "roi_pooling_param { pooled_h: 2 }")
    both = "roi_pooling_param { pooled_h: 2 pooled_size: 3 }"
    assert "pooled_size is given, and so is pooled_h" in refused("ROIPooling", both)
    three = "roi_pooling_param { pooled_size: [1, 2, 3] }"
    assert "the values [1, 2, 3]; one or two are expected" in refused("ROIPooling", three)
    assert "pooled_h is missing or 0" in refused("ROIAlign", "roi_align_param { pooled_w: 2 }")
    many = "roi_align_param { pooled_w: 2 pooled_h: 2 sampling_ratio: 1000 }"
    assert "sampling_ratio 1000 is more than 64" in refused("ROIAlign", many)
    other = "psroi_pooling_param { spatial_scale: 1 output_dim: 2 group_size: 2 }"
    found = refused("PSROIPooling", other)
    assert "'x' has 12 channels; 8 are expected: output_dim 2 for each of 2 x 2 cells" in found
    none = "psroi_pooling_param { spatial_scale: 1 output_dim: -3 group_size: 2 }"
    assert "output_dim -3 is not positive" in refused("PSROIPooling", none)


def test_one_size_for_rows_and_columns() -> None:
    """Of Intel's fork."""
    x = np.random.default_rng(0).standard_normal((1, 2, 9, 8)).astype(np.float32)
    regions = np.array([[0, 1, 1, 7, 6]], np.float32)
    found = run("ROIPooling", "roi_pooling_param { pooled_size: 3 }", x, regions, "cpu", 1.0)
    expected = run_pooling(x, regions, 3, 3, 1.0, "cpu")
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])
