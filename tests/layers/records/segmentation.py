"""Records of SegNet's, PSPNet's and other forks' layers about images."""

from __future__ import annotations

import numpy as np

from tests.support.layer_cases import Fill, LayerCase, net_text

_IMAGE = (3, 4, 5, 3)
_FACTOR, _OFFSET = '{ type: "uniform" min: 0.5 max: 2 }', '{ type: "gaussian" std: 1 }'
_SEGNET = f"scale_filler {_FACTOR} shift_filler {_OFFSET}"
_PSPNET = f"slope_filler {_FACTOR} bias_filler {_OFFSET}"


def _one(
    kind: str,
    name: str,
    body: str = "",
    *,
    x: tuple[int, ...] = _IMAGE,
    tops: str = 'top: "y"',
    phase: str = "TRAIN",
    inputs: dict[str, Fill] | None = None,
    checks_gradient: bool = True,
) -> LayerCase:
    text = f'layer {{ name: "l" type: "{kind}" bottom: "x" {tops} {body} }}'
    return LayerCase(kind, name, net_text(text, x=x), phase, inputs, checks_gradient)


def _positive(rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(0.5, 2.0, (1, 4, 1, 1))


def _upsample(name: str, pooling: str, parameters: str, height: int, width: int) -> LayerCase:
    """What is pooled, squared, put back: squares differ in what overwrites what."""
    text = (
        f'layer {{ name: "pool" type: "Pooling" bottom: "x" top: "p" top: "m" '
        f"pooling_param {{ {pooling} }} }} "
        'layer { name: "own" type: "Eltwise" bottom: "p" bottom: "q" top: "s" } '
        'layer { name: "l" type: "Upsample" bottom: "s" bottom: "m" top: "y" '
        f"upsample_param {{ {parameters} }} }}"
    )
    # Of elements that have one place the last stands there, and either gets the gradient.
    once = "stride: 2" in pooling and "kernel_size: 2" in pooling
    return LayerCase(
        "Upsample",
        f"upsample_{name}",
        net_text(text, x=(2, 3, height, width), q=(2, 3, 3, 2)),
        checks_gradient=once,
    )


def _labels(classes: int, *shape: int, ignored: int | None = None) -> Fill:
    def fill(rng: np.random.Generator) -> np.ndarray:
        found = rng.integers(0, classes, shape).astype(np.float64)
        if ignored is not None:
            found.ravel()[::4] = ignored
        return found

    return fill


def _weighted(name: str, body: str) -> LayerCase:
    text = f'layer {{ name: "l" type: "SoftmaxWithLoss" bottom: "x" bottom: "t" top: "y" {body} }}'
    return LayerCase(
        "SoftmaxWithLoss",
        f"softmax_loss_segnet_{name}",
        net_text(text, x=(2, 5, 3, 2), t=(2, 1, 3, 2)),
        inputs={"t": _labels(5, 2, 1, 3, 2)},
    )


def _accuracy(name: str, body: str = "", ignored: int | None = None) -> LayerCase:
    text = f'layer {{ name: "l" type: "SegAccuracy" bottom: "x" bottom: "t" top: "y" {body} }}'
    return LayerCase(
        "SegAccuracy",
        f"seg_accuracy_{name}",
        net_text(text, x=(2, 6, 3, 5), t=(2, 1, 3, 5)),
        inputs={
            "t": _labels(5, 2, 1, 3, 5, ignored=ignored),
            "l/@counts": lambda rng: rng.integers(0, 9, (3, 6)),
        },
        checks_gradient=False,
    )


_WEIGHTS = " ".join(f"class_weighting: {w}" for w in (0.5, 2, 2, 0.25, 3))

FIXES = {
    "Local": "has weights of their own at each place",
}

CASES = [
    _one("BN", "bn_segnet", f"bn_param {{ {_SEGNET} }}"),
    _one("BN", "bn_segnet_test", f"bn_param {{ {_SEGNET} }}", phase="TEST"),
    _one("BN", "bn_segnet_inference", f"bn_param {{ {_SEGNET} bn_mode: INFERENCE }}"),
    _one(
        "BN",
        "bn_segnet_statistics",
        f"bn_param {{ {_SEGNET} }}",
        tops='top: "y" top: "mean" top: "variance"',
        checks_gradient=False,  # none flows through the statistics
    ),
    _one("BN", "bn_segnet_flat", f"bn_param {{ {_SEGNET} }}", x=(7, 3)),
    _one("BN", "bn_pspnet", f"bn_param {{ {_PSPNET} momentum: 0.8 }}"),
    _one(
        "BN",
        "bn_pspnet_test",
        f"bn_param {{ {_PSPNET} eps: 0.01 }}",
        phase="TEST",
        inputs={"l/3": _positive},
    ),
    _one("BN", "bn_pspnet_flat", f"bn_param {{ {_PSPNET} }}", x=(7, 3)),
    _one(
        "BN",
        "bn_pspnet_frozen",
        f"bn_param {{ {_PSPNET} frozen: true }}",
        inputs={"l/3": _positive},
    ),
    _one("Reorg", "reorg", "reorg_param { stride: 2 }", x=(2, 8, 4, 6)),
    _one("Reorg", "reorg_three", "reorg_param { stride: 3 }", x=(2, 9, 3, 6)),
    _one("Reorg", "reorg_reverse", "reorg_param { stride: 2 reverse: true }", x=(2, 12, 3, 5)),
    _one(
        "CropCenter",
        "crop_center",
        "crop_center_param { crop_size: 0 crop_size: 0 crop_size: 2 crop_size: 1 }",
    ),
    _one("CropCenter", "crop_rows", "crop_center_param { crop_size: 1 crop_size: 0 }", x=(5, 3)),
    _one(
        "Local",
        "local",
        'local_param { num_output: 5 kernel_size: 2 weight_filler { type: "xavier" } '
        'bias_filler { type: "gaussian" std: 1 } }',
    ),
    _one(
        "Local",
        "local_strided",
        "local_param { num_output: 2 kernel_size: 3 stride: 2 pad: 1 bias_term: false "
        'weight_filler { type: "xavier" } }',
        x=(2, 3, 6, 5),
    ),
    _one("ReLU6", "relu6_own_param", "relu6_param { negative_slope: 0.3 }"),
    _one("ReLU6", "relu6_rising", "relu6_param { negative_slope: -9 }"),
    _one("Upsample", "upsample_nearest"),
    _one("Upsample", "upsample_nearest_three", "upsample_param { scale: 3 }"),
    _upsample("masked", "kernel_size: 2 stride: 2", "scale: 2", 6, 4),
    _upsample("scales", "kernel_size: 2 stride: 2", "scale_h: 2 scale_w: 2", 6, 4),
    _upsample("larger", "kernel_size: 2 stride: 2", "upsample_h: 9 upsample_w: 7", 6, 4),
    _upsample("overlapping", "kernel_size: 3 stride: 1", "upsample_h: 5 upsample_w: 4", 5, 4),
    _one("Dropout", "dropout_scaled_late", "dropout_param { scale_train: false }"),
    _one("Dropout", "dropout_scaled_in_test", "dropout_param { scale_train: false }", phase="TEST"),
    _one("Dropout", "dropout_variance", "dropout_param { sqrt_scale: true }"),
    _one("Dropout", "dropout_sampled", "dropout_param { sample_weights_test: true }", phase="TEST"),
    _weighted("weighted", f"loss_param {{ weight_by_label_freqs: true {_WEIGHTS} }}"),
    _weighted("unweighted", f"loss_param {{ {_WEIGHTS} ignore_label: 1 }}"),
    _weighted(
        "weighted_ignored",
        f"loss_param {{ weight_by_label_freqs: true ignore_label: 3 normalize: false {_WEIGHTS} }}",
    ),
    _accuracy("plain"),
    _accuracy("ignored", "seg_accuracy_param { ignore_label: 255 ignore_label: 2 }", 255),
    _accuracy("kept", "seg_accuracy_param { reset: false }"),
]
