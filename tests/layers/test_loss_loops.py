"""Losses and Accuracy against loops over positions: axes, ignored labels, normalizations."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import Arrays, LayerRun

NORMALIZATIONS = ("FULL", "VALID", "BATCH_SIZE", "NONE")
# Axis and shape of scores. Losses take no axis 0: scores and labels need one first extent.
WHERE = [(1, (3, 4, 2, 2)), (-1, (2, 3, 5)), (2, (2, 3, 4)), (0, (4, 3))]
IGNORED = 2


def run(kind: str, param: str, arrays: Arrays, tops: str = 'top: "y"') -> tuple[Arrays, Arrays]:
    """Outputs, and gradients where top "y" has a diff of 2."""
    bottoms = " ".join(f'bottom: "{name}"' for name in arrays)
    layer = f'layer {{ name: "l" type: "{kind}" {bottoms} {tops} {param} }}'
    shapes = {name: a.shape for name, a in arrays.items()}
    r = LayerRun(LayerCase(kind, "net", net_text(layer, **shapes)))
    r.values.update(arrays)
    out = r.forward()
    return out, r.gradients({"y": np.array(2.0)}) if kind != "Accuracy" else {}


def positions(x: np.ndarray, t: np.ndarray, axis: int) -> Iterator[tuple[tuple[object, ...], int]]:
    """Where the scores of every position stand, and its label."""
    axis %= x.ndim
    labels = iter(t.ravel())
    for outer in itertools.product(*map(range, x.shape[:axis])):
        for inner in itertools.product(*map(range, x.shape[axis + 1 :])):
            yield (*outer, slice(None), *inner), int(next(labels))


def scores_and_labels(axis: int, shape: tuple[int, ...]) -> Arrays:
    rng = np.random.default_rng(4)
    rest = list(shape)
    classes = rest.pop(axis)
    labels = rng.integers(0, classes, rest)
    return {"x": rng.standard_normal(shape), "t": labels.astype(float)}


def divisor(mode: str, axis: int, x: np.ndarray, t: np.ndarray) -> float:
    outer = int(np.prod(x.shape[: axis % x.ndim]))
    counts = {
        "FULL": t.size,
        "VALID": np.count_nonzero(t != IGNORED),
        "BATCH_SIZE": outer,
        "NONE": 1,
    }
    return float(max(1, counts[mode]))


@pytest.mark.parametrize("all_ignored", [False, True])
@pytest.mark.parametrize("mode", NORMALIZATIONS)
@pytest.mark.parametrize(("axis", "shape"), WHERE[:-1])
def test_softmax_and_infogain_loss(
    axis: int, shape: tuple[int, ...], mode: str, all_ignored: bool
) -> None:
    given = scores_and_labels(axis, shape)
    x, t = given["x"], given["t"]
    if all_ignored:
        t[...] = IGNORED
    classes = shape[axis]
    matrix = np.random.default_rng(5).standard_normal((classes, classes))  # not symmetric
    common = f"loss_param {{ ignore_label: {IGNORED} normalization: {mode} }}"
    for kind, h, param, more in (
        ("SoftmaxWithLoss", np.eye(classes), f"softmax_param {{ axis: {axis} }}", {}),
        ("InfogainLoss", matrix, f"infogain_loss_param {{ axis: {axis} }}", {"h": matrix}),
    ):
        loss, gradient = 0.0, np.zeros(shape)
        for at, label in positions(x, t, axis):
            if label == IGNORED:
                continue
            p = np.exp(x[at]) / np.exp(x[at]).sum()
            loss -= h[label] @ np.log(p)
            gradient[at] = p * h[label].sum() - h[label]
        by = divisor(mode, axis, x, t)
        out, got = run(kind, f"{common} {param}", {**given, **more})
        np.testing.assert_allclose(out["y"], loss / by, rtol=1e-9)
        np.testing.assert_allclose(got["x"], 2 * gradient / by, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("nans", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("top_k", [1, 2])
@pytest.mark.parametrize(("axis", "shape"), WHERE)
def test_accuracy_ignores_labels_along_any_axis(
    axis: int, shape: tuple[int, ...], top_k: int, nans: float
) -> None:
    given = scores_and_labels(axis, shape)
    x, t = given["x"], given["t"]
    x[...] = np.round(x)  # many ties
    x[np.random.default_rng(5).random(shape) < nans] = np.nan
    hits, counts = np.zeros(shape[axis]), np.zeros(shape[axis])
    for at, label in positions(x, t, axis):
        if label != IGNORED:
            better = np.count_nonzero(x[at] >= x[at][label]) - 1
            hits[label] += 0 <= better < top_k  # -1: the score of the true class is NaN
            counts[label] += 1
    param = f"accuracy_param {{ axis: {axis} top_k: {top_k} ignore_label: {IGNORED} }}"
    out, _ = run("Accuracy", param, given, 'top: "y" top: "c"')
    np.testing.assert_allclose(out["y"], hits.sum() / counts.sum())
    np.testing.assert_allclose(out["c"], hits / np.maximum(counts, 1))


@pytest.mark.parametrize("all_ignored", [False, True])
@pytest.mark.parametrize("mode", ["", *NORMALIZATIONS])
def test_sigmoid_loss_normalizations(mode: str, all_ignored: bool) -> None:
    rng = np.random.default_rng(6)
    x, t = rng.standard_normal((3, 2, 4)), rng.integers(0, 3, (3, 2, 4)).astype(float)
    if all_ignored:
        t[...] = IGNORED
    keep = t != IGNORED
    p = 1.0 / (1.0 + np.exp(-x))
    by = divisor(mode or "BATCH_SIZE", 1, x, t)
    chosen = f"normalization: {mode}" if mode else ""
    param = f"loss_param {{ ignore_label: {IGNORED} {chosen} }}"
    out, got = run("SigmoidCrossEntropyLoss", param, {"x": x, "t": t})
    terms = -np.where(t > 0, np.log(p), np.log(1.0 - p))[keep]
    np.testing.assert_allclose(out["y"], terms.sum() / by, rtol=1e-9)
    np.testing.assert_allclose(got["x"], 2 * np.where(keep, p - t, 0.0) / by, rtol=1e-9)


@pytest.mark.parametrize("norm", ["L1", "L2"])
def test_hinge_loss_is_one_against_all(norm: str) -> None:
    rng = np.random.default_rng(7)
    x, t = rng.standard_normal((4, 3, 2, 1)), np.array([0.0, 5.0, 3.0, 2.0])
    rows = x.reshape(4, 6)
    sign = np.where(np.arange(6) == t[:, None], -1.0, 1.0)
    margin = np.maximum(0.0, 1.0 + sign * rows)
    out, got = run("HingeLoss", f"hinge_loss_param {{ norm: {norm} }}", {"x": x, "t": t})
    value, slope = (margin, margin > 0) if norm == "L1" else (margin**2, 2 * margin)
    np.testing.assert_allclose(out["y"], value.sum() / 4)
    np.testing.assert_allclose(got["x"], (2 * sign * slope / 4).reshape(x.shape))


@pytest.mark.parametrize("legacy", [False, True])
def test_contrastive_loss_of_both_versions(legacy: bool) -> None:
    rng = np.random.default_rng(8)
    a, b = 0.7 * rng.standard_normal((2, 6, 3))
    similar = np.array([1.0, 0.0, 0.0, 2.0, 0.0, 0.0])  # other than 0 is similar
    margin = 1.5
    d2 = ((a - b) ** 2).sum(axis=1)
    d = np.sqrt(d2)
    apart = np.maximum(margin - d2, 0.0) if legacy else np.maximum(margin - d, 0.0) ** 2
    pull = (
        np.where(margin - d2 > 0, -1.0, 0.0)
        if legacy
        else np.where(margin - d > 0, -(margin - d) / (d + 1e-4), 0.0)
    )
    assert (apart[similar == 0] == 0).any() and (apart[similar == 0] > 0).any()
    param = f"contrastive_loss_param {{ margin: {margin} legacy_version: {str(legacy).lower()} }}"
    out, got = run("ContrastiveLoss", param, {"a": a, "b": b, "s": similar})
    np.testing.assert_allclose(out["y"], np.where(similar != 0, d2, apart).sum() / 12, rtol=1e-9)
    weight = np.where(similar != 0, 1.0, pull)[:, None]
    np.testing.assert_allclose(got["a"], 2 * weight * (a - b) / 6, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(got["b"], -got["a"])
