"""Losses and accuracies of label sequences, and the marks of recurrent layers."""

from __future__ import annotations

import numpy as np

from tests.support.layer_cases import LayerCase, net_text

_CTC = (
    'layer {{ name: "l" type: "CtcLoss" bottom: "x" bottom: "t" top: "loss" '
    "ctc_loss_param {{ alphabet_size: 4 time_step: {steps} blank_label: {blank} }} }}"
)
_SEVERAL = np.array([[1.0, 1.0, 0.0], [2.0, 0.0, 3.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])


CASES = [
    LayerCase(
        "CtcLoss",
        "ctc_loss",
        net_text(_CTC.format(steps=5, blank=3), x=(5, 1, 4), t=(1, 3)),
        inputs={"t": lambda rng: np.array([[2.0, 0.0, 0.0]])},
    ),
    LayerCase(
        "CtcLoss",
        "ctc_loss_blanks_between",  # and steps that are not read
        net_text(_CTC.format(steps=4, blank=0), x=(6, 1, 4), t=(1, 3)),
        inputs={"t": lambda rng: np.array([[2.0, 0.0, 3.0]])},
    ),
    LayerCase(
        "CtcLoss",
        "ctc_loss_several",  # one has no labels, one has too many
        net_text(_CTC.format(steps=4, blank=0), x=(4, 4, 2, 2), t=(4, 3)),
        inputs={"t": lambda rng: _SEVERAL},
        checks_gradient=False,  # it is not divided by the number of sequences, as the loss is
    ),
    LayerCase(
        "ContinuationIndicator",
        "continuation_indicator",
        net_text(
            'layer { name: "l" type: "ContinuationIndicator" bottom: "x" top: "y" '
            "continuation_indicator_param { time_step: 5 axis: 1 } }",
            x=(2, 3, 4),
        ),
        checks_gradient=False,
    ),
    LayerCase(
        "ContinuationIndicator",
        "continuation_indicator_alone",
        net_text(
            'layer { name: "l" type: "ContinuationIndicator" top: "y" '
            "continuation_indicator_param { time_step: 5 batch_size: 3 } }",
        ),
        checks_gradient=False,
    ),
    LayerCase(
        "LabelsequenceAccuracy",
        "labelsequence_accuracy",
        net_text(
            'layer { name: "l" type: "LabelsequenceAccuracy" bottom: "x" bottom: "t" top: "y" '
            "labelsequence_accuracy_param { blank_label: 2 } }",
            x=(7, 2, 3),
            t=(7, 3),
        ),
        inputs={"t": lambda rng: rng.integers(0, 3, (7, 3)).astype(np.float64)},
        checks_gradient=False,
    ),
]
