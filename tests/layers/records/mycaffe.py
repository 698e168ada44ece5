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


CASES = [
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
