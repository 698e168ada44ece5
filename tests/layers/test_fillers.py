"""Distributions of the fillers, and what they refuse."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from frontends.lowering.fillers import KINDS
from ir.errors import RoasteryError
from ir.program import FillerSpec
from runtime.memory.fillers import fill
from runtime.memory.gabor import known_banks

RECORDED = Path(__file__).parents[1] / "data" / "gabor_filters.npz"

SHAPE = (64, 32, 5, 5)
COUNT = math.prod(SHAPE)


def filled(kind: str, shape: tuple[int, ...] = SHAPE, **options: object) -> np.ndarray:
    rng = np.random.default_rng(1234)
    return fill(FillerSpec(kind, **options), shape, rng)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [0, 1])
def test_one_seed_gives_one_result(kind: str, seed: int) -> None:
    spec = FillerSpec(kind, std=0.5)
    shape = (32, 3, 5, 5)
    first = fill(spec, shape, np.random.default_rng(seed))
    again = fill(spec, shape, np.random.default_rng(seed))
    assert first.dtype == np.float32 and first.shape == shape
    np.testing.assert_array_equal(first, again)


def test_constant() -> None:
    np.testing.assert_array_equal(filled("constant", (2, 3), value=0.25), np.full((2, 3), 0.25))
    assert filled("constant", ()).shape == ()


def test_parts_are_filled_one_after_the_other() -> None:
    row, ones = FillerSpec("xavier"), FillerSpec(value=1.0)
    values = filled("parts", (700, 1, 1), parts=(((4, 100), row), ((300,), ones))).ravel()
    assert 0.16 < values[:400].max() <= math.sqrt(3.0 / 100)
    np.testing.assert_array_equal(values[400:], np.ones(300))
    with pytest.raises(RoasteryError, match=r"parts of 300 elements do not fill \[700\]"):
        filled("parts", (700,), parts=(((300,), ones),))


def test_uniform() -> None:
    values = filled("uniform", min=-0.5, max=1.5)
    assert -0.5 <= values.min() < -0.499 and 1.499 < values.max() <= 1.5
    assert abs(values.mean() - 0.5) < 5e-3
    assert abs(values.var() - 4.0 / 12.0) < 5e-3
    quarters = np.histogram(values, bins=4, range=(-0.5, 1.5))[0] / COUNT
    np.testing.assert_allclose(quarters, 0.25, atol=5e-3)


def test_gaussian() -> None:
    values = filled("gaussian", mean=0.3, std=0.1)
    assert abs(values.mean() - 0.3) < 2e-3
    assert abs(values.std() - 0.1) < 2e-3
    inside = np.mean(np.abs(values - 0.3) < 0.1)
    assert abs(inside - 0.6827) < 5e-3
    assert np.abs(values - 0.3).max() > 0.35


def test_sparse_gaussian_keeps_that_many_inputs_per_output() -> None:
    values = filled("gaussian", (200, 500), std=2.0, sparse=15)
    kept = values != 0.0
    assert abs(kept.mean() - 15 / 200) < 2e-3
    assert abs(values[kept].std() - 2.0) < 0.05
    assert not filled("gaussian", (20, 5), sparse=0).any()


def test_positive_unitball_sums_to_one_per_row() -> None:
    values = filled("positive_unitball", (10, 8, 3))
    assert values.min() > 0.0
    np.testing.assert_allclose(values.sum(axis=(1, 2)), 1.0, rtol=1e-5)
    assert values.std() > 0.0


FANS = {"FAN_IN": 32 * 25, "FAN_OUT": 64 * 25, "AVERAGE": 48 * 25}


@pytest.mark.parametrize("norm", FANS)
def test_xavier(norm: str) -> None:
    values = filled("xavier", variance_norm=norm)
    limit = math.sqrt(3.0 / FANS[norm])
    assert abs(values.min() + limit) < 1e-3 * limit and abs(values.max() - limit) < 1e-3 * limit
    assert abs(values.var() * FANS[norm] - 1.0) < 0.02


@pytest.mark.parametrize("norm", FANS)
def test_msra(norm: str) -> None:
    values = filled("msra", variance_norm=norm)
    assert abs(values.var() * FANS[norm] / 2.0 - 1.0) < 0.02
    assert abs(values.mean()) < 1e-3
    assert np.abs(values).max() > 3.0 * math.sqrt(2.0 / FANS[norm])


def test_fans_of_a_vector() -> None:
    # count / shape[0] is 1; without a second axis the fan out is the count.
    assert np.abs(filled("xavier", (1000,))).max() > 1.7
    assert np.abs(filled("xavier", (1000,), variance_norm="FAN_OUT")).max() < 0.055


@pytest.mark.parametrize("extent", [1, 2, 3, 4, 5])
def test_bilinear_is_a_tent(extent: int) -> None:
    values = filled("bilinear", (2, 3, extent, extent))
    factor = math.ceil(extent / 2)
    center = (extent - 1) / (2 * factor)
    tent = [1 - abs(i / factor - center) for i in range(extent)]
    np.testing.assert_allclose(values[1, 2], np.outer(tent, tent), rtol=1e-6)
    np.testing.assert_array_equal(values[0, 0], values[1, 2])


@pytest.mark.parametrize(("count", "size"), known_banks())
def test_gabor_filters_are_intels(count: int, size: int) -> None:
    """Every filter against one number of what intel/caffe's own code made: a sum over all its
    elements with weights that all differ."""
    values = filled("gabor", (count, 3, size, size)).reshape(count, -1).astype(np.float64)
    with np.load(RECORDED) as recorded:
        wanted = recorded[f"{count}_{size}"]
    np.testing.assert_allclose(values @ np.cos(np.arange(values.shape[1])), wanted, atol=1e-6)


def test_an_array_fills_its_shape() -> None:
    array = np.arange(6.0)
    np.testing.assert_array_equal(filled("array", (2, 3), array=array), array.reshape(2, 3))


@pytest.mark.parametrize(
    ("kind", "shape", "options", "message"),
    [
        ("bilinear", (2, 3, 4), {}, "four axes and square windows, not [2, 3, 4]"),
        ("bilinear", (2, 3, 4, 5), {}, "four axes and square windows, not [2, 3, 4, 5]"),
        ("uniform", (2,), {"min": 1.0, "max": 0.0}, "from 1 to 0"),
        ("gaussian", (2,), {"std": -1.0}, "std -1"),
        ("gaussian", (4, 2), {"sparse": 5}, "sparse: 5 inputs per output"),
        ("gaussian", (4, 2), {"sparse": -2}, "sparse: -2"),
        ("xavier", (4, 2), {"sparse": 1}, "`sparse` is for gaussian fillers"),
        ("array", (4,), {"array": np.zeros(3)}, "[3] does not fill [4]"),
        ("gabor", (64, 3, 5, 5), {}, "no Gabor filters of [64, 3, 5, 5]"),
        ("gabor", (32, 1, 5, 5), {}, "32 x 3 x 5 x 5, 64 x 3 x 7 x 7"),
        ("gabor", (32, 3, 25), {}, "no Gabor filters of [32, 3, 25]"),
        ("gabor", (32, 3, 5, 5), {"sparse": 1}, "`sparse` is for gaussian fillers"),
        ("ones", (4,), {}, "unknown filler 'ones'"),
    ],
)
def test_what_cannot_be_filled(
    kind: str, shape: tuple[int, ...], options: dict[str, object], message: str
) -> None:
    with pytest.raises(RoasteryError) as caught:
        filled(kind, shape, **options)
    assert message in str(caught.value)


def test_nothing_is_filled_with_nothing() -> None:
    for kind in KINDS:
        assert filled(kind, (0, 3, 2, 2)).shape == (0, 3, 2, 2)
