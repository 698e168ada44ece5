"""Records of R-FCN's layers that train on the hardest regions, and of happynear's Normalize."""

from __future__ import annotations

import numpy as np

from tests.support.layer_cases import LayerCase, net_text


def _regions(rng: np.random.Generator) -> np.ndarray:
    boxes = rng.uniform(0, 30, (11, 5))
    boxes[:, 0] = [0, 2, 0, 0, 1, 0, 2, 0, 1, 0, 0]
    return boxes


def _losses(rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(np.array([0.5, 0.5, 0.5, 1, 2, 2, 0, 3, 4, 0.25, 6]))[:, np.newaxis]


def _labels(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 5, (11, 1)).astype(np.float64)


def _smooth(name: str, body: str, weighted: bool, per: bool) -> LayerCase:
    shape = (3, 4, 2, 5)
    inputs = {"a": shape, "b": shape, **({"w": shape} if weighted else {})}
    bottoms = " ".join(f'bottom: "{name}"' for name in inputs)
    tops = 'top: "loss" top: "per"' if per else 'top: "loss"'
    weights = "loss_weight: 2 loss_weight: 0" if per else "loss_weight: 2"
    text = f'layer {{ name: "l" type: "SmoothL1LossOHEM" {bottoms} {tops} {weights} {body} }}'
    return LayerCase(
        "SmoothL1LossOHEM",
        f"smooth_l1_ohem_{name}",
        net_text(text, **inputs),
        # Weights are left out of the gradient, and no gradient flows through the second top.
        checks_gradient=not weighted and not per,
    )


def _softmax(name: str, body: str = "", tops: int = 1) -> LayerCase:
    named = " ".join(f'top: "{top}"' for top in ("loss", "p", "per")[:tops])
    weights = "loss_weight: 1 loss_weight: 0 loss_weight: 0" if tops == 3 else ""
    text = (
        f'layer {{ name: "l" type: "SoftmaxWithLossOHEM" bottom: "x" bottom: "t" {named} {weights} '
        f"{body} }}"
    )
    return LayerCase(
        "SoftmaxWithLossOHEM",
        f"softmax_ohem_{name}",
        net_text(text, x=(3, 5, 2, 3), t=(3, 1, 2, 3)),
        inputs={"t": lambda rng: rng.integers(0, 5, (3, 1, 2, 3)).astype(np.float64)},
        checks_gradient=tops == 1,
    )


def _normalize(name: str, body: str, *, tops: int = 1, checks_gradient: bool = True) -> LayerCase:
    named = 'top: "y" top: "n"' if tops == 2 else 'top: "y"'
    text = f'layer {{ name: "l" type: "Normalize" bottom: "x" {named} {body} }}'
    return LayerCase(
        "Normalize",
        f"normalize_{name}",
        net_text(text, x=(3, 4, 2, 5)),
        checks_gradient=checks_gradient,
    )


_FIXED = "normalization: PRE_FIXED pre_fixed_normalizer: 7"

CASES = [
    LayerCase(
        "BoxAnnotatorOHEM",
        "box_annotator_ohem",
        net_text(
            'layer { name: "l" type: "BoxAnnotatorOHEM" bottom: "r" bottom: "l" bottom: "t" '
            'bottom: "w" top: "labels" top: "weights" '
            "box_annotator_ohem_param { roi_per_img: 2 ignore_label: -7 } }",
            r=(11, 5),
            l=(11, 1),
            t=(11, 1),
            w=(11, 8),
        ),
        inputs={"r": _regions, "l": _losses, "t": _labels},
        checks_gradient=False,
    ),
    _smooth("plain", "", weighted=False, per=False),
    _smooth("fixed", f"loss_param {{ {_FIXED} }}", False, True),
    _smooth("weighted", "loss_param { normalize: false }", True, False),
    _softmax("plain"),
    _softmax("fixed", "loss_param { normalization: PRE_FIXED pre_fixed_normalizer: 0.5 }"),
    _softmax("ignored", "loss_param { ignore_label: 2 }", tops=3),
    _normalize(
        "unequal",
        "norm_param { across_spatial: false channel_shared: false "
        'scale_filler { type: "uniform" min: 0.5 max: 3 } }',
        checks_gradient=False,  # the scales are left out of the inner product
    ),
    _normalize("l2", "normalize_param { }"),
    _normalize("l1", 'normalize_param { normalize_type: "L1" }'),
    _normalize("norms", "normalize_param { bp_norm: true }", tops=2),
    _normalize("stopped_norms", "", tops=2, checks_gradient=False),
]
