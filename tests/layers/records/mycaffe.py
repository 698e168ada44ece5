"""Records of the layers that only MyCaffe has."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.support.layer_cases import Fill, LayerCase, net_text


def _case(
    kind: str, name: str, body: str = "", fills: dict[str, Fill] | None = None, **inputs: Any
) -> LayerCase:
    """``inputs``: shapes; ``checks_gradient`` and ``phase`` are LayerCase's."""
    more = {key: inputs.pop(key) for key in ("checks_gradient", "phase") if key in inputs}
    shapes = inputs or {"x": (2, 3, 5, 4)}
    bottoms = " ".join(f'bottom: "{name}"' for name in shapes)
    layer = f'layer {{ name: "l" type: "{kind}" {bottoms} top: "y" {body} }}'
    return LayerCase(kind, name, net_text(layer, **shapes), inputs=fills, **more)


def _near(rng: np.random.Generator) -> np.ndarray:
    """Rows whose triplets lie on both sides of the margin."""
    return 0.6 * rng.standard_normal((7, 3))


_TRIPLET: dict[str, Any] = {"a": (7, 3), "p": (7, 3), "n": (7, 3)}
_NEAR: dict[str, Fill] = dict.fromkeys("apn", _near)


def _unpooling(name: str, fields: str, **inputs: Any) -> LayerCase:
    return _case("UnPooling", f"unpooling_{name}", f"unpooling_param {{ {fields} }}", **inputs)


def _digits(count: int, *shape: int) -> dict[str, Fill]:
    return {"t": lambda rng: rng.integers(0, count, shape)}


def _decode(name: str, fields: str = "", phase: str = "TRAIN", tops: str = "") -> LayerCase:
    body = f"{tops} decode_param {{ {fields} }}"
    return _case(
        "Decode",
        f"decode_{name}",
        body,
        _digits(3, 6, 2),
        phase=phase,
        checks_gradient=False,
        x=(6, 3),
        t=(6, 2),
    )


def _without_gradient(kind: str, name: str, body: str = "", **more: Any) -> LayerCase:
    fills = _digits(3, *more["t"])
    return _case(kind, name, body, fills, checks_gradient=False, **more)


def _sequence(name: str, tops: str, fields: str) -> LayerCase:
    """Every label comes more than once in a batch."""
    layer = (
        f'layer {{ name: "l" type: "DataSequence" bottom: "x" bottom: "t" {tops} '
        f"data_sequence_param {{ label_count: 3 cache_size: 4 {fields} }} }}"
    )
    labels: dict[str, Fill] = {"t": lambda rng: np.arange(8) % 3 + 5}
    return LayerCase(
        "DataSequence",
        f"data_sequence_{name}",
        net_text(layer, x=(8, 2, 3), t=(8,)),
        inputs=labels,
        checks_gradient=False,
    )


FIXES = {
    "AccuracyEncoding": "learns a center from so many rows as its batches have",
    "DataSequence": "keeps rows of as many numbers as there are features",
    "Decode": "learns a center from so many rows as its batches have",
    "Knn": "keeps batches of one size",
    "UnPooling": "looks for elements near them where the size of the top allows it",
}

CASES = [
    _sequence("pairs", 'top: "a" top: "b" top: "n"', "label_start: 5"),
    _sequence(
        "others", 'top: "a" top: "b"', "label_start: 5 balance_matches: false output_labels: false"
    ),
    _sequence("triplets", 'top: "a" top: "b" top: "c" top: "n"', "label_start: 5 k: 1"),
    _case("TripletLoss", "triplet_loss", fills=_NEAR, **_TRIPLET, t=(7, 1)),
    _case(
        "TripletLoss",
        "triplet_loss_alpha",
        "triplet_loss_param { alpha: 0.5 } loss_weight: 0.3",
        fills=_NEAR,
        **_TRIPLET,
        t=(7, 2),
    ),
    _case(
        "TripletLoss",
        "triplet_loss_margin",
        "triplet_loss_param { margin: 0.7 }",
        a=(5, 3, 1, 2),
        p=(5, 3, 1, 2),
        n=(5, 3, 1, 2),
    ),
    _case("Debug", "debug", "debug_param { max_stored_batches: 3 }", x=(4, 3), t=(4,)),
    _case("MemoryLoss", "memory_loss", phase="TEST", checks_gradient=False, x=(4, 3), t=(4,)),
    _decode("centroids"),
    _decode("followed", "cache_size: 1 pregen_label_count: 4 ignore_label: 1", tops='top: "c"'),
    _decode("kept", "enable_centroid_update: false", tops='top: "c"'),
    _decode("pregenerated", "target: PREGEN pregen_label_count: 4", tops='top: "c"'),
    _decode("test", "pregen_label_count: 4", "TEST", 'top: "c"'),
    _without_gradient("AccuracyDecode", "accuracy_decode", x=(6, 4, 1, 1), t=(6, 2)),
    _without_gradient(
        "AccuracyDecode",
        "accuracy_decode_ignore",
        "accuracy_param { ignore_label: 1 }",
        x=(6, 4),
        t=(6,),
    ),
    _without_gradient("AccuracyEncoding", "accuracy_encoding", x=(6, 4), t=(6, 2)),
    _without_gradient(
        "AccuracyEncoding",
        "accuracy_encoding_small",
        "decode_param { cache_size: 1 pregen_label_count: 3 }",
        x=(6, 4, 1, 1),
        t=(6, 2, 1, 1),
        phase="TEST",
    ),
    _without_gradient("Knn", "knn", "knn_param { max_stored_batches: 2 }", x=(4, 3), t=(4, 1)),
    _without_gradient(
        "Knn",
        "knn_test",
        "knn_param { max_stored_batches: 2 num_output: 3 k: 2 }",
        phase="TEST",
        x=(4, 3, 2),
        t=(4,),
    ),
    _case("Normalization2", "normalization2", "normalization2_param { eps: 0.01 }"),
    _case(
        "Normalization2",
        "normalization2_channels",
        "normalization2_param { across_spatial: false channel_shared: false esp: 0.5 "
        'scale_filler { type: "constant" value: 3 } }',
        checks_gradient=False,  # the scales are left out of an inner product
    ),
    *(
        LayerCase(
            "ContrastiveLoss",
            f"contrastive_{name}",
            net_text(
                'layer { name: "l" type: "ContrastiveLoss" bottom: "a" bottom: "p" bottom: "t" '
                f"{tops} loss_weight: 1 contrastive_loss_param {{ {fields} }} }}",
                a=(7, 3),
                p=(7, 3),
                t=(7, width),
            ),
            inputs={"a": _near, "p": _near, **_digits(2, 7, width)},
            checks_gradient=checks,
        )
        for name, width, tops, fields, checks in (
            ("pairs", 2, 'top: "y"', "legacy_version: true", True),
            ("matches", 1, 'top: "y" top: "m"', "output_matches: true legacy_version: true", False),
            ("matches_of_three", 3, 'top: "y" top: "m"', "output_matches: true", False),
        )
    ),
    _unpooling("starts", "kernel_size: 2 stride: 2"),
    _unpooling("starts_apart", "kernel_h: 2 kernel_w: 5 stride_h: 3 stride_w: 2"),
    _unpooling("starts_smaller", "kernel_size: 2 stride: 2 unpool_h: 9 unpool_w: 7"),
    # Several elements come to one place: the last one stands there, and each gets its gradient.
    _unpooling("starts_cut", "kernel_size: 2 stride: 2 unpool_size: 5", checks_gradient=False),
    _unpooling("starts_padded", "kernel_size: 3 stride: 2 pad: 1"),
    _unpooling("whole", "global_pooling: true"),
    _unpooling("average", "pool: AVE kernel_size: 2 stride: 2"),
    _unpooling("average_overlap", "pool: AVE kernel_size: 3 stride: 2"),
    _unpooling("average_cut", "pool: AVE kernel_size: 3 stride: 2 unpool_h: 10 unpool_w: 6"),
    _unpooling("average_whole", "pool: AVE global_pooling: true", x=(2, 3, 2, 3)),
    *(
        LayerCase(
            "UnPooling",
            f"unpooling_mask_{name}",
            net_text(
                'layer { name: "pool" type: "Pooling" bottom: "x" top: "p" top: "m" '
                f"pooling_param {{ {pooled} }} }} "
                'layer { name: "l" type: "UnPooling" bottom: "p" bottom: "m" top: "y" '
                f"unpooling_param {{ {fields} }} }}",
                x=(2, 3, 6, 4),
            ),
            checks_gradient=name != "overlap",  # two windows may have one maximum
        )
        for name, pooled, fields in (
            ("default", "kernel_size: 2 stride: 2", "kernel_size: 2 stride: 2"),
            (
                "size",
                "kernel_size: 2 stride: 2",
                "kernel_size: 2 stride: 2 unpool_h: 6 unpool_w: 4",
            ),
            (
                "overlap",
                "kernel_size: 3 stride: 2 pad: 1",
                "kernel_size: 3 stride: 2 pad: 1 unpool_h: 6 unpool_w: 4",
            ),
        )
    ),
]
