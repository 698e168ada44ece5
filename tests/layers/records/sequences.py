"""Recurrent layers, Embed, Parameter and Filter."""

from __future__ import annotations

import numpy as np

from tests.support.layer_cases import Fill, LayerCase, net_text

_FILLERS = 'weight_filler { type: "uniform" } bias_filler { type: "uniform" }'


def _marks(rng: np.random.Generator) -> np.ndarray:
    cont = np.ones((4, 3))
    cont[0, 0] = cont[2, 1] = 0.0
    return cont


def _odd_marks(rng: np.random.Generator) -> np.ndarray:
    """Of which small changes make no others of what is rounded."""
    cont = np.full((4, 3), 0.75)
    cont[0, 0], cont[2, 1] = 1.5, 0.0
    return cont


def _recurrent(
    kind: str,
    name: str,
    bottoms: str = "",
    tops: str = "",
    param: str = "",
    checks_gradient: bool = True,
    marks: Fill = _marks,
    **shapes: tuple[int, ...],
) -> LayerCase:
    text = (
        f'layer {{ name: "l" type: "{kind}" bottom: "x" bottom: "cont" {bottoms} top: "y" {tops} '
        f"recurrent_param {{ num_output: 5 {_FILLERS} {param} }} }}"
    )
    inputs = {"x": (4, 3, 2), "cont": (4, 3), **shapes}
    return LayerCase(
        kind,
        name,
        net_text(text, **inputs),
        inputs={"cont": lambda rng: marks(rng).reshape(inputs["cont"])},
        checks_gradient=checks_gradient,
    )


_STATE = (1, 3, 5)

FIXES = {
    "LSTM": "is unrolled over the steps, and has as many weights as there are features",
    "LstmAttention": "is unrolled over the steps, and has as many weights as there are features",
    "LstmSimple": "is unrolled over the steps, and has as many weights as there are features",
    "RNN": "is unrolled over the steps, and has as many weights as there are features",
}

CASES = [
    _recurrent("LSTM", "lstm"),
    _recurrent("LSTM", "lstm_static", 'bottom: "s"', param="debug_info: true", s=(3, 2, 2)),
    _recurrent(
        "LSTM",
        "lstm_exposed",
        'bottom: "h0" bottom: "c0"',
        'top: "hT" top: "cT"',
        "expose_hidden: true",
        False,  # as in Caffe no gradient flows through the exposed states
        h0=_STATE,
        c0=_STATE,
    ),
    _recurrent("LSTM", "lstm_batch_first", param="batch_first: true", x=(3, 4, 2), cont=(3, 4)),
    _recurrent(
        "LSTM",
        "lstm_given",
        'bottom: "h0" bottom: "c0"',
        param="expose_hidden_input: true",
        checks_gradient=False,
        h0=_STATE,
        c0=_STATE,
    ),
    _recurrent(
        "LSTM",
        "lstm_cudnn",
        param="engine: CUDNN num_layers: 2 dropout_ratio: 0.4",
        marks=_odd_marks,
    ),
    _recurrent(
        "LSTM",
        "lstm_cudnn_exposed",
        'bottom: "h0" bottom: "c0"',
        'top: "hT" top: "cT"',
        "engine: CUDNN num_layers: 3 expose_hidden: true",
        marks=_odd_marks,
        h0=(3, 3, 5, 1),
        c0=(3, 3, 5, 1),
    ),
    _recurrent(
        "LSTM",
        "lstm_cudnn_batch_first",
        param="engine: CUDNN batch_first: true",
        marks=_odd_marks,
        x=(4, 3, 2),
    ),
    _recurrent("RNN", "rnn"),
    _recurrent("RNN", "rnn_static", 'bottom: "s"', s=(3, 2)),
    _recurrent(
        "RNN",
        "rnn_exposed",
        'bottom: "h0"',
        'top: "hT"',
        "expose_hidden: true",
        False,
        h0=_STATE,
    ),
    *(
        LayerCase(
            "LstmSimple",
            name,
            net_text(
                f'layer {{ name: "l" type: "LstmSimple" bottom: "x" {bottom} top: "y" '
                f"lstm_simple_param {{ num_output: 5 {_FILLERS} {param} }} }}",
                **{"x": (12, 2), **more},
            ),
            inputs={"cont": lambda rng: _marks(rng).reshape(12, 1)},
            checks_gradient="clipping" not in param,
        )
        for name, bottom, param, more in (
            ("lstm_simple", 'bottom: "cont"', "batch_size: 3", {"cont": (12, 1)}),
            ("lstm_simple_alone", "", "batch_size: 4", {}),
            (
                "lstm_simple_clipped",
                'bottom: "cont"',
                "clipping_threshold: 0.01",
                {"cont": (12, 1)},
            ),
        )
    ),
    *(
        LayerCase(
            "LstmAttention",
            name,
            net_text(
                f'layer {{ name: "l" type: "LstmAttention" bottom: "x" {bottom} top: "y" '
                f"lstm_attention_param {{ num_output: 5 {_FILLERS} {param} }} }}",
                **{"x": (4, 3, 2), **more},
            ),
            inputs={"cont": _odd_marks},
            checks_gradient="clipping" not in param,
        )
        for name, bottom, param, more in (
            ("lstm_attention", 'bottom: "cont"', "", {"cont": (4, 3)}),
            ("lstm_attention_product", "", "num_output_ip: 4", {}),
            ("lstm_attention_clipped", "", "clipping_threshold: 0.01", {}),
        )
    ),
    LayerCase(
        "LSTMUnit",
        "lstm_unit",
        net_text(
            'layer { name: "l" type: "LSTMUnit" bottom: "c" bottom: "g" bottom: "cont" '
            'top: "c1" top: "h1" }',
            c=(1, 3, 5),
            g=(1, 3, 20),
            cont=(1, 3),
        ),
        inputs={"cont": lambda rng: np.array([[1.0, 0.0, 1.0]])},
    ),
    LayerCase(
        "Embed",
        "embed",
        net_text(
            'layer { name: "l" type: "Embed" bottom: "x" top: "y" embed_param { num_output: 5 '
            "input_dim: 7 } }",
            x=(3, 2),
        ),
        inputs={"x": lambda rng: rng.integers(0, 7, (3, 2)).astype(np.float64)},
    ),
    LayerCase(
        "Parameter",
        "parameter",
        net_text(
            'layer { name: "l" type: "Parameter" top: "w" parameter_param { shape { dim: 3 '
            'dim: 5 } } } layer { name: "e" type: "EuclideanLoss" bottom: "w" bottom: "x" '
            'top: "loss" }',
            x=(3, 5),
        ),
    ),
    LayerCase(
        "Filter",
        "filter_nothing",  # every row stays: the size the net is made for
        net_text(
            'layer { name: "l" type: "Filter" bottom: "x" bottom: "z" bottom: "s" '
            'top: "a" top: "b" }',
            x=(3, 2, 5),
            z=(3, 1),
            s=(3, 1),
        ),
        inputs={"s": lambda rng: np.array([[1.0], [-2.0], [0.5]])},
    ),
]
