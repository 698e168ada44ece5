"""Softmax, losses and Accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.support.layer_cases import Fill, LayerCase, net_text


def labels(classes: int, *shape: int) -> Fill:
    return lambda rng: rng.integers(0, classes, shape).astype(np.float64)


def probabilities(*shape: int) -> Fill:
    return lambda rng: rng.uniform(0.05, 1.0, shape)


def _softmax(name: str, shape: tuple[int, ...], param: str = "") -> LayerCase:
    text = f'layer {{ name: "l" type: "Softmax" bottom: "x" top: "y" {param} }}'
    return LayerCase("Softmax", name, net_text(text, x=shape))


def _loss(
    kind: str,
    name: str,
    param: str = "",
    *,
    x: tuple[int, ...] = (5, 7),
    t: tuple[int, ...] = (5,),
    classes: int = 7,
    tops: str = 'top: "loss"',
    fill: Fill | None = None,
    checks_gradient: bool = True,
) -> LayerCase:
    text = f'layer {{ name: "l" type: "{kind}" bottom: "x" bottom: "t" {tops} {param} }}'
    inputs = {"t": fill or labels(classes, *t)}
    return LayerCase(
        kind, name, net_text(text, x=x, t=t), inputs=inputs, checks_gradient=checks_gradient
    )


_IMAGE: dict[str, Any] = {"x": (2, 4, 3, 5), "t": (2, 1, 3, 5), "classes": 4}
_TWO_TOPS = 'top: "loss" top: "p"'


def _softmax_loss(name: str, param: str = "", **more: Any) -> LayerCase:
    return _loss("SoftmaxWithLoss", f"softmax_loss_{name}", param, **more)


def _sigmoid_loss(name: str, param: str, fill: Fill) -> LayerCase:
    kind = "SigmoidCrossEntropyLoss"
    return _loss(kind, f"sigmoid_loss_{name}", param, x=(4, 5), t=(4, 5), fill=fill)


def _shares(rng: np.random.Generator) -> np.ndarray:
    return rng.random((4, 5))


def _marks(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(-1, 2, (4, 5)).astype(np.float64)


def _near(rng: np.random.Generator) -> np.ndarray:
    """Rows whose distances lie on both sides of the margin."""
    return 0.4 * rng.standard_normal((6, 3))


def _infogain(name: str, param: str = "", tops: str = 'top: "loss"') -> LayerCase:
    text = (
        'layer { name: "l" type: "InfogainLoss" bottom: "x" bottom: "t" bottom: "h" '
        f"{tops} {param} }}"
    )
    return LayerCase(
        "InfogainLoss",
        f"infogain_{name}",
        net_text(text, x=(3, 4, 5), t=(3, 1, 5), h=(1, 1, 4, 4)),
        inputs={"t": labels(4, 3, 1, 5)},
        checks_gradient="p" not in tops.split('"'),
    )


def _contrastive(name: str, param: str, checks_gradient: bool) -> LayerCase:
    text = (
        'layer { name: "l" type: "ContrastiveLoss" bottom: "a" bottom: "b" bottom: "s" '
        f'top: "loss" contrastive_loss_param {{ {param} }} }}'
    )
    return LayerCase(
        "ContrastiveLoss",
        name,
        net_text(text, a=(6, 3), b=(6, 3), s=(6,)),
        inputs={"a": _near, "b": _near, "s": labels(2, 6)},
        checks_gradient=checks_gradient,
    )


def _accuracy(name: str, param: str = "", tops: str = 'top: "a"', **more: Any) -> LayerCase:
    text = f"accuracy_param {{ {param} }}"
    return _loss("Accuracy", f"accuracy_{name}", text, tops=tops, checks_gradient=False, **more)


CASES = [
    _softmax("softmax", (3, 7)),
    _softmax("softmax_image", (2, 3, 5, 1)),
    _softmax("softmax_last_axis", (2, 3, 5), "softmax_param { axis: -1 }"),
    _softmax("softmax_first_axis", (3, 5), "softmax_param { axis: 0 }"),
    _softmax_loss("rows"),
    _softmax_loss("image", **_IMAGE),
    _softmax_loss("ignore", "loss_param { ignore_label: 2 }", **_IMAGE),
    _softmax_loss("full", "loss_param { ignore_label: 2 normalization: FULL }", **_IMAGE),
    _softmax_loss("batch", "loss_param { normalization: BATCH_SIZE }", **_IMAGE),
    _softmax_loss("sum", "loss_param { normalization: NONE }", **_IMAGE),
    _softmax_loss("old_normalize", "loss_param { normalize: false }", **_IMAGE),
    _softmax_loss("axis", "softmax_param { axis: 2 }", x=(2, 3, 6), t=(2, 3), classes=6),
    _softmax_loss("weighted", "loss_weight: 0.3"),
    _softmax_loss("two_tops", tops=_TWO_TOPS, checks_gradient=False),
    _sigmoid_loss("targets", "", _shares),
    _sigmoid_loss("ignore", "loss_param { ignore_label: -1 normalization: VALID }", _marks),
    LayerCase(
        "MultinomialLogisticLoss",
        "multinomial_loss",
        net_text(
            'layer { name: "l" type: "MultinomialLogisticLoss" bottom: "x" bottom: "t" '
            'top: "loss" }',
            x=(5, 7),
            t=(5, 1),
        ),
        inputs={"x": probabilities(5, 7), "t": labels(7, 5, 1)},
    ),
    _infogain("valid"),
    _infogain("ignore", "loss_param { ignore_label: 1 }"),
    _infogain("two_tops", tops=_TWO_TOPS),
    LayerCase(
        "EuclideanLoss",
        "euclidean_loss",
        net_text(
            'layer { name: "l" type: "EuclideanLoss" bottom: "x" bottom: "t" top: "loss" }',
            x=(3, 2, 1, 5),
            t=(3, 10),
        ),
    ),
    LayerCase(
        "L1Loss",
        "l1_loss",
        net_text(
            'layer { name: "l" type: "L1Loss" bottom: "x" bottom: "t" top: "loss" }',
            x=(3, 2, 1, 5),
            t=(3, 10),
        ),
    ),
    _loss("HingeLoss", "hinge_loss_l1"),
    _loss("HingeLoss", "hinge_loss_l2", "hinge_loss_param { norm: L2 }"),
    # Caffe adds 1e-4 to the distance in the gradient only.
    _contrastive("contrastive_loss", "margin: 1.5", False),
    _contrastive("contrastive_loss_legacy", "legacy_version: true", True),
    _accuracy("rows"),
    _accuracy("top_3", "top_k: 3"),
    _accuracy("ignore", "ignore_label: 2", **_IMAGE),
    _accuracy("per_class", "ignore_label: 2", tops='top: "a" top: "c"', **_IMAGE),
    _accuracy("axis", "axis: 2", x=(2, 3, 6), t=(2, 3), classes=6),
]
