"""YoloSeg, SegmentationEvaluate and AssistedExcitation: what MobileNet-YOLO does with pixels."""

from __future__ import annotations

import numpy as np

from tests.support.layer_cases import Fill, LayerCase, net_text


def _flags(*shape: int) -> Fill:
    return lambda rng: (rng.random(shape) < 0.4).astype(np.float64)


def _probabilities(*shape: int) -> Fill:
    # No byte but those that are far from the threshold, as single precision rounds otherwise.
    return lambda rng: rng.choice([0.1, 0.2, 0.8, 0.9], shape)


def _counts(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(1, 12, (2, 3)).astype(np.float64)


def _boxes(rng: np.random.Generator) -> np.ndarray:
    labels = np.zeros((2, 6, 5))
    labels[:, :3, 1:] = rng.uniform(0.1, 0.9, (2, 3, 4))
    return labels.reshape(2, 30)


def _evaluated(name: str, labels: tuple[int, ...]) -> LayerCase:
    masks = (2, 3, 5, 7)
    return LayerCase(
        "SegmentationEvaluate",
        f"segmentation_evaluate_{name}",
        net_text(
            'layer { name: "l" type: "SegmentationEvaluate" bottom: "x" bottom: "t" top: "y" '
            "segmentation_evaluate_param { num_classes: 3 threshold: 0.45 } }",
            x=masks,
            t=labels,
        ),
        inputs={"x": _probabilities(*masks), "t": _flags(*labels)},
        checks_gradient=False,
    )


CASES = [
    LayerCase(
        "YoloSeg",
        "yolo_seg",
        net_text(
            'layer { name: "l" type: "YoloSeg" bottom: "x" bottom: "t" bottom: "n" top: "loss" '
            "yolo_seg_param { object_scale: 0.2 } }",
            x=(2, 3, 4, 5),
            t=(2, 3, 4, 5),
            n=(2, 3),
        ),
        inputs={"t": _flags(2, 3, 4, 5), "n": _counts},
        checks_gradient=False,  # it is what the squares are of
    ),
    _evaluated("alike", (2, 3, 5, 7)),
    _evaluated("resized", (2, 3, 9, 13)),
    LayerCase(
        "AssistedExcitation",
        "assisted_excitation",
        net_text(
            'layer { name: "l" type: "AssistedExcitation" bottom: "x" bottom: "t" bottom: "m" '
            'top: "y" }',
            x=(2, 3, 5, 7),
            t=(2, 30),
            m=(2, 5, 7),
        ),
        inputs={"t": _boxes},
    ),
    LayerCase(
        "AssistedExcitation",
        "assisted_excitation_test",
        net_text(
            'layer { name: "l" type: "AssistedExcitation" bottom: "x" bottom: "t" bottom: "m" '
            'top: "y" }',
            x=(2, 3, 5, 7),
            t=(2, 30),
            m=(2, 5, 7),
        ),
        phase="TEST",
        inputs={"t": _boxes},
    ),
]
