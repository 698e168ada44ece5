"""Records of element-wise layers, and of Scale, Bias and Eltwise."""

from __future__ import annotations

import numpy as np

from tests.support.layer_cases import Fill, LayerCase, net_text


def _case(
    kind: str,
    name: str,
    body: str = "",
    phase: str = "TRAIN",
    gradient: bool = True,
    x: tuple[int, ...] = (2, 3, 5, 4),
    fill: dict[str, Fill] | None = None,
    **inputs: tuple[int, ...],
) -> LayerCase:
    bottoms = " ".join(f'bottom: "{name}"' for name in ("x", *inputs))
    layer = f'layer {{ name: "l" type: "{kind}" {bottoms} top: "y" {body} }}'
    return LayerCase(kind, name, net_text(layer, x=x, **inputs), phase, fill, gradient)


def _positive(rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(0.1, 2.0, (2, 3, 5, 4))


_ABOVE = {"x": _positive}

FIXES = {
    "Bias": "learns a number for each place",
    "Scale": "learns a number for each place",
}

CASES = [
    _case("ReLU", "relu"),
    _case("ReLU", "relu_leaky", "relu_param { negative_slope: 0.1 }"),
    _case("ReLU", "relu_6", "relu_param { relu6: true negative_slope: 0.1 }"),
    _case("ReLU", "relu_limits", "relu_param { maximum: 1.5 minimum: 0.25 }"),
    _case("PReLU", "prelu"),
    _case("PReLU", "prelu_shared", "prelu_param { channel_shared: true }"),
    _case("PReLU", "prelu_flat", x=(5, 3)),
    _case("ELU", "elu", "elu_param { alpha: 0.3 }"),
    _case("Sigmoid", "sigmoid"),
    _case("TanH", "tanh"),
    _case("AbsVal", "absval"),
    _case("BNLL", "bnll"),
    _case("Swish", "swish", "swish_param { beta: -0.7 }"),
    _case("Clip", "clip", "clip_param { min: -0.4 max: 1.1 }"),
    _case("Power", "power_cube", "power_param { power: 3 scale: 0.5 shift: 0.25 }"),
    _case("Power", "power_square", "power_param { power: 2 scale: -0.5 shift: 1 }"),
    _case("Power", "power_root", "power_param { power: 0.5 }", fill=_ABOVE),
    _case("Power", "power_linear", "power_param { scale: 3 shift: -1 }"),
    _case("Power", "power_constant", "power_param { power: 2 scale: 0 shift: 3 }", gradient=False),
    _case("Exp", "exp_e", "exp_param { scale: 0.5 shift: 1 }"),
    _case("Exp", "exp_base", "exp_param { base: 3 scale: -0.5 shift: 0.2 }"),
    _case("Log", "log_e", "log_param { scale: 2 shift: 1 }", fill=_ABOVE),
    _case("Log", "log_base", "log_param { base: 10 }", fill=_ABOVE),
    _case("Threshold", "threshold", "threshold_param { threshold: 0.3 }", gradient=False),
    _case("Dropout", "dropout_train", "dropout_param { dropout_ratio: 0.3 }"),
    _case("Dropout", "dropout_vector", x=(7,)),
    _case("Dropout", "dropout_none", "dropout_param { dropout_ratio: 0 }"),
    _case("Dropout", "dropout_test", phase="TEST"),
    _case("Scale", "scale"),
    _case("Scale", "scale_bias", "scale_param { bias_term: true }"),
    _case("Scale", "scale_axes", "scale_param { axis: 0 num_axes: 2 bias_term: true }"),
    _case("Scale", "scale_rest", "scale_param { axis: -2 num_axes: -1 }"),
    _case("Scale", "scale_scalar", "scale_param { num_axes: 0 bias_term: true }"),
    _case("Scale", "scale_two", "scale_param { axis: 0 }", b=(2, 3)),
    _case("Scale", "scale_two_bias", "scale_param { axis: 1 bias_term: true }", b=(3, 5)),
    _case("Scale", "scale_two_scalar", b=()),
    _case("Bias", "bias"),
    _case("Bias", "bias_axes", "bias_param { axis: 2 num_axes: -1 }"),
    _case("Bias", "bias_two", "bias_param { axis: 0 }", b=(2,)),
    _case("Eltwise", "eltwise_sum", b=(2, 3, 5, 4)),
    _case("Eltwise", "eltwise_last_axes", x=(5, 3), b=(5, 3, 1, 1)),
    _case(
        "Eltwise",
        "eltwise_coefficients",
        "eltwise_param { coeff: 1 coeff: -2 coeff: 0.5 }",
        b=(2, 3, 5, 4),
        c=(2, 3, 5, 4),
    ),
    _case("Eltwise", "eltwise_product", "eltwise_param { operation: PROD }", b=(2, 3, 5, 4)),
    _case(
        "Eltwise",
        "eltwise_product_three",
        "eltwise_param { operation: PROD }",
        b=(2, 3, 5, 4),
        c=(2, 3, 5, 4),
    ),
    _case("Eltwise", "eltwise_max", "eltwise_param { operation: MAX }", b=(2, 3, 5, 4)),
    _case("Eltwise", "eltwise_min_scalar", "eltwise_param { operation: MIN }", b=()),
    _case("Eltwise", "eltwise_quotient", "eltwise_param { operation: DIV axis: 1 }", b=(3, 5)),
    _case(
        "Eltwise",
        "eltwise_inner_axes",
        "eltwise_param { axis: 1 coeff: 2 coeff: -3 coeff: 1 }",
        b=(3,),
        c=(2, 3, 5, 4),
    ),
    _case(
        "Eltwise",
        "eltwise_max_three",
        "eltwise_param { operation: MAX }",
        b=(2, 3, 5, 4),
        c=(2, 3, 5, 4),
    ),
]
