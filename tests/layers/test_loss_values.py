"""What the losses do at their edges, and what they refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from frontends.lowering.known_layers import load_layers
from frontends.lowering.net import lower_layers
from frontends.prototxt import parse_text
from ir.errors import RoasteryError
from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import LayerRun

Arrays = Mapping[str, Any]


def run(text: str, values: Arrays, weights: Sequence[str] = ("loss",)) -> tuple[Any, Any]:
    """Outputs, and gradients for a weight of 1 on the named outputs, in float32."""
    shapes = {name: np.shape(v) for name, v in values.items()}
    layer = LayerRun(LayerCase("", "net", net_text(text, **shapes)))
    for name, v in values.items():
        layer.values[name] = np.asarray(v, np.float32)
    outputs = layer.forward()
    seeds = {name: np.ones_like(outputs[name]) for name in weights}
    return outputs, layer.gradients(seeds) if seeds else {}


def refused(text: str, **shapes: tuple[int, ...]) -> str:
    load_layers()
    with pytest.raises(RoasteryError) as caught:
        lower_layers(parse_text(net_text(text, **shapes), "NetParameter", "net.prototxt"), "TRAIN")
    return str(caught.value)


SOFTMAX_LOSS = 'layer { name: "l" type: "SoftmaxWithLoss" bottom: "x" bottom: "t" top: "loss" %s }'


def test_softmax_loss_saturates_but_its_gradient_does_not() -> None:
    out, grad = run(SOFTMAX_LOSS % "", {"x": [[0.0, 500.0]], "t": [0.0]})
    assert out["loss"] == np.float32(87.33655)
    np.testing.assert_array_equal(grad["x"], [[-1.0, 1.0]])


def test_softmax_loss_of_a_certain_prediction_is_a_positive_zero() -> None:
    out, _ = run(SOFTMAX_LOSS % "", {"x": [[500.0, 0.0]], "t": [0.0]})
    assert out["loss"] == 0.0 and not np.signbit(out["loss"])


def test_softmax_loss_of_huge_scores_is_finite() -> None:
    out, grad = run(SOFTMAX_LOSS % "", {"x": [[3e38, -3e38, 3e38]], "t": [1.0]})
    assert out["loss"] == np.float32(87.33655)
    np.testing.assert_allclose(grad["x"], [[0.5, -1.0, 0.5]])


@pytest.mark.parametrize("label", [-1.0, 3.0, 1e9, np.nan])
def test_a_label_out_of_range_costs_the_most(label: float) -> None:
    out, grad = run(SOFTMAX_LOSS % "", {"x": [[1.0, 2.0, 3.0]], "t": [label]})
    assert out["loss"] == np.float32(87.33655)
    assert np.isfinite(grad["x"]).all()


def test_all_labels_ignored_gives_zero() -> None:
    text = SOFTMAX_LOSS % "loss_param { ignore_label: 255 }"
    out, grad = run(text, {"x": np.ones((2, 3)), "t": [255.0, 255.0]})
    assert out["loss"] == 0.0
    np.testing.assert_array_equal(grad["x"], np.zeros((2, 3)))


def test_ignored_labels_may_be_anything() -> None:
    text = SOFTMAX_LOSS % "loss_param { ignore_label: -1 }"
    x = np.array([[1.0, 2.0, 0.5], [0.0, 1.0, 3.0]])
    out, _ = run(text, {"x": x, "t": [-1.0, 2.0]})
    alone, _ = run(SOFTMAX_LOSS % "", {"x": x[1:], "t": [2.0]})
    np.testing.assert_allclose(out["loss"], alone["loss"], rtol=1e-6)


@pytest.mark.parametrize("weights", ["", "loss_weight: 1", "loss_weight: 2 loss_weight: 0"])
def test_softmax_loss_gives_its_probabilities(weights: str) -> None:
    text = (
        'layer { name: "l" type: "SoftmaxWithLoss" bottom: "x" bottom: "t" top: "loss" top: "p" '
        f"{weights} }}"
    )
    x = np.array([[1.0, 2.0, 0.5], [0.0, 1.0, 3.0]])
    out, grad = run(text, {"x": x, "t": [1.0, 1.0]}, ("loss", "p"))
    expected = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    np.testing.assert_allclose(out["p"], expected, rtol=1e-6)
    # Nothing flows back through the probabilities.
    np.testing.assert_allclose(grad["x"], (expected - [0, 1, 0]) / 2, rtol=1e-5)


def test_sigmoid_loss_does_not_overflow_and_is_smooth_at_zero() -> None:
    text = 'layer { name: "l" type: "SigmoidCrossEntropyLoss" bottom: "x" bottom: "t" top: "loss" }'
    out, grad = run(text, {"x": [[-200.0, 200.0, 0.0]], "t": [[1.0, 0.0, 0.25]]})
    np.testing.assert_allclose(out["loss"], 400.0 + np.log(2.0), rtol=1e-6)
    np.testing.assert_allclose(grad["x"], [[-1.0, 1.0, 0.25]], atol=1e-6)


def test_multinomial_loss_keeps_its_slope_below_the_threshold() -> None:
    text = 'layer { name: "l" type: "MultinomialLogisticLoss" bottom: "x" bottom: "t" top: "loss" }'
    out, grad = run(text, {"x": [[0.0, 1.0]], "t": [0.0]})
    np.testing.assert_allclose(out["loss"], -np.log(1e-20), rtol=1e-6)
    np.testing.assert_allclose(grad["x"], [[-1e20, 0.0]], rtol=1e-6)


def test_infogain_with_the_identity_is_the_softmax_loss() -> None:
    text = (
        'layer { name: "l" type: "InfogainLoss" bottom: "x" bottom: "t" bottom: "h" top: "loss" }'
    )
    x, t = np.random.default_rng(0).standard_normal((4, 3, 2)), [[0, 1], [2, 2], [1, 0], [0, 2]]
    out, grad = run(text, {"x": x, "t": t, "h": np.eye(3)})
    other, other_grad = run(SOFTMAX_LOSS % "", {"x": x, "t": t})
    np.testing.assert_allclose(out["loss"], other["loss"], rtol=1e-6)
    np.testing.assert_allclose(grad["x"], other_grad["x"], atol=1e-7)


CONTRASTIVE = (
    'layer { name: "l" type: "ContrastiveLoss" bottom: "a" bottom: "b" bottom: "s" top: "loss" '
    "contrastive_loss_param { margin: 2 %s } }"
)


def test_contrastive_loss_of_equal_and_of_far_pairs() -> None:
    values = {"a": [[1.0], [0.0]], "b": [[1.0], [5.0]], "s": [0.0, 0.0]}
    out, grad = run(CONTRASTIVE % "", values)
    assert out["loss"] == 1.0  # margin^2 / (2 * 2): only the equal pair counts
    np.testing.assert_array_equal(grad["a"], np.zeros((2, 1)))


def test_contrastive_gradient_divides_by_a_guarded_distance() -> None:
    _, grad = run(CONTRASTIVE % "", {"a": [[0.5]], "b": [[0.0]], "s": [0.0]})
    np.testing.assert_allclose(grad["a"], [[-1.5 / (0.5 + 1e-4) * 0.5]], rtol=1e-6)
    np.testing.assert_allclose(grad["b"], -grad["a"])


ACCURACY = 'layer { name: "l" type: "Accuracy" bottom: "x" bottom: "t" top: "a" %s }'


def test_accuracy_counts_ties_against() -> None:
    out, _ = run(ACCURACY % "", {"x": np.zeros((3, 4)), "t": [0.0, 1.0, 2.0]}, ())
    assert out["a"] == 0.0
    out, _ = run(ACCURACY % "accuracy_param { top_k: 4 }", {"x": np.zeros((1, 4)), "t": [3.0]}, ())
    assert out["a"] == 1.0


def test_accuracy_without_a_valid_label_is_zero() -> None:
    text = ACCURACY % 'top: "c" accuracy_param { ignore_label: 0 }'
    out, _ = run(text, {"x": np.eye(3), "t": [0.0, 0.0, 0.0]}, ())
    assert out["a"] == 0.0
    np.testing.assert_array_equal(out["c"], np.zeros(3))


@pytest.mark.parametrize("label", [-1.0, 3.0])
def test_accuracy_takes_a_label_out_of_range_for_a_miss(label: float) -> None:
    out, _ = run(ACCURACY % "", {"x": np.eye(3) - 2.0, "t": [0.0, 1.0, label]}, ())
    np.testing.assert_allclose(out["a"], 2.0 / 3.0, rtol=1e-6)


@pytest.mark.parametrize("more", ["", "accuracy_param { top_k: 3 }"])
def test_scores_that_are_nan_are_never_right(more: str) -> None:
    x = np.full((3, 3), np.nan)
    out, _ = run(ACCURACY % f'top: "c" {more}', {"x": x, "t": [0.0, 1.0, 2.0]}, ())
    assert out["a"] == 0.0
    np.testing.assert_array_equal(out["c"], np.zeros(3))


def test_hinge_loss_at_the_margin_has_no_gradient() -> None:
    text = 'layer { name: "l" type: "HingeLoss" bottom: "x" bottom: "t" top: "loss" }'
    out, grad = run(text, {"x": [[1.0, -1.0, 0.5]], "t": [0.0]})
    assert out["loss"] == 1.5
    np.testing.assert_array_equal(grad["x"], [[0.0, 0.0, 1.0]])


def test_what_the_losses_refuse() -> None:
    message = refused(SOFTMAX_LOSS % "", x=(4, 5), t=(3,))
    assert "'x' has shape [4, 5] and 't' [3]: their first extents must be equal" in message
    assert "net.prototxt:4:" in message and "(layer 'l')" in message
    message = refused(ACCURACY % "", x=(4, 5), t=(2, 4))
    assert "8 labels in 't' [2, 4] for 4 predictions in 'x' [4, 5], classes on axis 1" in message
    message = refused(ACCURACY % "accuracy_param { top_k: 6 }", x=(4, 5), t=(4,))
    assert "top_k is 6, and there are 5 classes" in message
    message = refused(SOFTMAX_LOSS % "softmax_param { axis: 2 }", x=(4, 5), t=(4,))
    assert "axis 2 is out of range for a blob with 2 axes" in message
    text = 'layer { name: "l" type: "EuclideanLoss" bottom: "x" bottom: "t" top: "loss" }'
    message = refused(text, x=(4, 5), t=(4, 6))
    assert "'x' has shape [4, 5] and 't' [4, 6]: they differ in the number of elements" in message
    text = 'layer { name: "l" type: "InfogainLoss" bottom: "x" bottom: "t" top: "loss" %s }'
    assert "there is no infogain matrix" in refused(text % "", x=(4, 5), t=(4,))
    message = refused(text % "loss_param { normalize: true }", x=(4, 5), t=(4,))
    assert "`normalize` has no meaning for InfogainLoss" in message
    three = 'layer { name: "l" type: "InfogainLoss" bottom: "x" bottom: "t" bottom: "h" top: "z" }'
    message = refused(three, x=(4, 5), t=(4,), h=(4, 4))
    assert "the infogain matrix has shape [4, 4]; 5 classes need 5 x 5 elements" in message
    message = refused(CONTRASTIVE % "", a=(4, 5, 2), b=(4, 5, 2), s=(4,))
    assert "'a' has shape [4, 5, 2]; a row per sample is expected" in message
    hinge = 'layer { name: "l" type: "HingeLoss" bottom: "x" bottom: "t" top: "loss" }'
    assert "holds 8 labels for 4 rows" in refused(hinge, x=(4, 5), t=(4, 2))
