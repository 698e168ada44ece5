"""CtcLoss against all ways to read labels, one by one; LabelsequenceAccuracy against a plain
reading; what both refuse."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from ir.program import Labels
from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import LayerRun
from tests.support.refusals import check_refusal

STEPS, CLASSES = 5, 3


def ctc(steps: int = STEPS, classes: int = CLASSES, blank: int = 0, more: str = "") -> str:
    return (
        f'layer {{ name: "l" type: "CtcLoss" bottom: "x" bottom: "t" top: "loss" {more} '
        f"ctc_loss_param {{ alphabet_size: {classes} time_step: {steps} blank_label: {blank} }} }}"
    )


def read(path: Sequence[int], blank: int) -> tuple[int, ...]:
    """What one class per step says: repeated classes count once, blanks not at all."""
    return tuple(k for k, _ in itertools.groupby(path) if k != blank)


def ways(scores: np.ndarray, blank: int) -> dict[tuple[int, ...], tuple[float, np.ndarray]]:
    """Of every reading of scores [T, C]: the sum of the probabilities of its paths, and for every
    step and class of those that go through it."""
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    steps, classes = p.shape
    found: dict[tuple[int, ...], tuple[float, np.ndarray]] = {}
    for path in itertools.product(range(classes), repeat=steps):
        probability = float(np.prod(p[np.arange(steps), path]))
        total, through = found.get(read(path, blank), (0.0, np.zeros(p.shape)))
        through[np.arange(steps), path] += probability
        found[read(path, blank)] = total + probability, through
    return found


def run(text: str, x: np.ndarray, t: np.ndarray) -> LayerRun:
    made = LayerRun(LayerCase("", "net", net_text(text, x=x.shape, t=t.shape)))
    made.values["x"], made.values["t"] = x, t
    return made


@pytest.mark.parametrize("blank", [0, 1, 2])
def test_ctc_loss_is_that_of_all_paths(blank: int) -> None:
    """For every reading that there is, in one batch; labels have blanks before, between, behind."""
    scores = np.random.default_rng(blank).normal(size=(STEPS, CLASSES))
    known = ways(scores, blank)
    labels = np.full((len(known), 2 * STEPS + 1), blank)
    for row, wanted in zip(labels, known, strict=True):
        gap = 2 if len(wanted) % 2 else 1
        row[1 : 1 + gap * len(wanted) : gap] = wanted
    x = np.repeat(scores[:, None], len(known), 1)
    made = run(ctc(blank=blank), x, labels.astype(np.float64))
    costs = [-np.log(total) for total, _ in known.values()]
    assert {len(wanted) for wanted in known} == {*range(STEPS + 1)}
    np.testing.assert_allclose(made.forward()["loss"], np.mean(costs), rtol=1e-12)
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    # Of each sequence the whole gradient: it is not divided as the loss is.
    expected = [p - through / total for total, through in known.values()]
    found = made.gradients({"loss": np.array(0.5)})["x"]
    np.testing.assert_allclose(found, 0.5 * np.stack(expected, 1), atol=1e-12)


def test_labels_that_do_not_fit_cost_nothing() -> None:
    """Of four equal labels in six steps: three blanks must stand between them."""
    rng = np.random.default_rng(3)
    x, t = rng.normal(size=(6, 3, 3)), np.array([[1, 1, 1, 1], [1, 2, 1, 2], [1, 1, 1, 0]])
    made = run(ctc(6), x, t.astype(np.float64))
    costs = [-np.log(ways(x[:, n], 0)[tuple(k for k in t[n] if k)][0]) for n in (1, 2)]
    np.testing.assert_allclose(made.forward()["loss"], sum(costs) / 3, rtol=1e-12)
    gradient = made.gradients({"loss": np.array(1.0)})["x"]
    assert not gradient[:, 0].any()
    assert gradient[:, 1:].all()


def test_only_the_first_steps_are_read() -> None:
    rng = np.random.default_rng(4)
    x, t = rng.normal(size=(7, 2, 3)), np.array([[1.0, 2.0], [2.0, 2.0]])
    short, long = run(ctc(4), x[:4], t), run(ctc(4), x, t)
    np.testing.assert_array_equal(short.forward()["loss"], long.forward()["loss"])
    gradient = long.gradients({"loss": np.array(1.0)})["x"]
    np.testing.assert_array_equal(gradient[:4], short.gradients({"loss": np.array(1.0)})["x"])
    assert not gradient[4:].any()


def test_long_sequences_and_far_scores_are_finite_in_float32() -> None:
    """All but one path are worse by a factor that float32 does not hold."""
    x = np.zeros((300, 1, 3), np.float32)
    x[:, :, 1] = 2000.0
    made = run(ctc(300), x, np.array([[2.0, 1.0]], np.float32))
    np.testing.assert_allclose(made.forward()["loss"], 2000.0, rtol=1e-6)
    gradient = made.gradients({"loss": np.array(1.0, np.float32)})["x"]
    np.testing.assert_allclose(gradient[0, 0], [0.0, 1.0, -1.0], atol=1e-5)
    np.testing.assert_allclose(gradient[1:], 0.0, atol=1e-5)


def test_data_with_other_labels_is_refused() -> None:
    made = run(ctc(), np.zeros((STEPS, 1, CLASSES)), np.ones((1, 1)))
    assert made.program.layers[-1].labels == Labels(1, CLASSES)


@pytest.mark.parametrize(
    "body, shapes, said, place",
    [
        ("alphabet_size: 3", {}, "time_step is missing or 0", "ctc_loss_param"),
        (
            "alphabet_size: 3 time_step: 6",
            {},
            "time_step is 6, and 'x' [5, 2, 3] has 5 steps",
            "time_step: 6",
        ),
        ("time_step: 5", {}, "alphabet_size is missing or 0", "ctc_loss_param"),
        (
            "alphabet_size: 4 time_step: 5",
            {},
            "'x' has shape [5, 2, 3]; [steps, batch, 4] is expected",
            'bottom: "x"',
        ),
        (
            "alphabet_size: 3 time_step: 5 blank_label: 3",
            {},
            "blank_label 3 is none of 3 classes",
            "blank_label: 3",
        ),
        (
            "alphabet_size: 3 time_step: 5 blank_label: -1",
            {},
            "blank_label -1 is none of 3 classes",
            "blank_label: -1",
        ),
        (
            "alphabet_size: 3 time_step: 5",
            {"t": (3, 4)},
            "'t' have shape [3, 4]; [2, length] is expected",
            'bottom: "t"',
        ),
        ("alphabet_size: 3 time_step: 5", {"t": (2,)}, "'t' have shape [2]", 'bottom: "t"'),
        ("alphabet_size: 3 time_step: 5", {"t": (2, 4, 2)}, "[2, 4, 2]", 'bottom: "t"'),
        ("alphabet_size: 3 time_step: 5", {"t": (2, 0)}, "[2, 0] have no columns", 'bottom: "t"'),
        (
            "alphabet_size: 3 time_step: 5",
            {"x": (5, 6)},
            "'x' has shape [5, 6]; [steps, batch, 3]",
            'bottom: "x"',
        ),
    ],
)
def test_ctc_loss_refuses(
    body: str, shapes: dict[str, tuple[int, ...]], said: str, place: str
) -> None:
    inputs = {"x": (5, 2, 3), "t": (2, 4), **shapes}
    check_refusal("CtcLoss", f"ctc_loss_param {{ {body} }}", inputs, said, place)


def accuracy(blank: int) -> str:
    return (
        'layer { name: "l" type: "LabelsequenceAccuracy" bottom: "x" bottom: "t" top: "y" '
        f"labelsequence_accuracy_param {{ blank_label: {blank} }} }}"
    )


@pytest.mark.parametrize("blank", [-1, 0, 2, 7])
def test_a_sequence_is_read_as_labelled_or_it_is_not(blank: int) -> None:
    rng = np.random.default_rng(blank + 1)
    x = np.round(rng.normal(size=(60, 4, 3)))  # many are equal: the first one counts
    said = [read(row.argmax(1), blank) for row in x]
    t = np.full((60, 5), blank, np.float64)
    for row, wanted in zip(t, said, strict=True):
        row[: len(wanted)] = wanted
    t[::3, 1] = rng.integers(0, 3, 20)
    right = [
        tuple(k for k in row if k != blank) == wanted for row, wanted in zip(t, said, strict=True)
    ]
    assert 0 < sum(right) < 60
    share = run(accuracy(blank), x, t).forward()["y"]
    np.testing.assert_allclose(share, np.mean(right), rtol=1e-12)


def test_labelsequence_accuracy_refuses() -> None:
    kind = "LabelsequenceAccuracy"
    said = "'t' have shape [3, 4]; [2, length] is expected"
    check_refusal(kind, "", {"x": (2, 5, 3), "t": (3, 4)}, said, 'bottom: "t"')
    said = "[batch, steps, classes] is expected"
    check_refusal(kind, "", {"x": (2, 5), "t": (2, 4)}, said, 'bottom: "x"')


def test_the_marks_of_sequences_that_begin_at_once() -> None:
    text = (
        'layer {{ name: "l" type: "ContinuationIndicator" bottom: "x" top: "y" '
        "continuation_indicator_param {{ {} }} }}"
    )
    x = np.ones((2, 3, 4))
    for param, streams in (("", 2), ("axis: 1", 3), ("axis: -1", 4)):
        case = LayerCase("", "net", net_text(text.format(f"time_step: 3 {param}"), x=x.shape))
        expected = np.repeat([[0.0], [1.0], [1.0]], streams, 1)
        np.testing.assert_array_equal(LayerRun(case).forward()["y"], expected)
    lone = text.replace('bottom: "x"', "").format("time_step: 3 batch_size: 5")
    found = LayerRun(LayerCase("", "net", net_text(lone))).forward()["y"]
    np.testing.assert_array_equal(found, np.repeat([[0.0], [1.0], [1.0]], 5, 1))
    kind, name = "ContinuationIndicator", "continuation_indicator_param"
    check_refusal(kind, f"{name} {{ }}", {"x": (2, 3)}, "time_step is missing or 0", name)
    body = f"{name} {{ time_step: 2 axis: 3 }}"
    check_refusal(kind, body, {"x": (2, 3)}, "axis 3 is out of range", "axis: 3")
    check_refusal(kind, f"{name} {{ time_step: 2 }}", {}, "neither a bottom nor a batch_size", name)
