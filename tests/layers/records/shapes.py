"""Records of layers that move, reduce or pick elements."""

from __future__ import annotations

import numpy as np

from tests.support.layer_cases import Fill, LayerCase, net_text


def _case(
    kind: str, name: str, body: str = "", tops: str = 'top: "y"', gradient: bool = True,
    fill: dict[str, Fill] | None = None, **inputs: tuple[int, ...],
) -> LayerCase:  # fmt: skip
    shapes = inputs or {"x": (2, 3, 5, 4)}
    bottoms = " ".join(f'bottom: "{name}"' for name in shapes)
    layer = f'layer {{ name: "l" type: "{kind}" {bottoms} {tops} {body} }}'
    return LayerCase(kind, name, net_text(layer, **shapes), "TRAIN", fill, gradient)


_TWO = 'top: "y" top: "z"'
_THREE = 'top: "y" top: "z" top: "w"'
_ROWS = {"i": lambda rng: np.array([2.0, 0.0, 2.0, 1.0])}


def _few_values(*shape: int) -> Fill:
    """Small whole numbers: many are equal."""
    return lambda rng: rng.integers(-2, 3, shape)


CASES = [
    _case("Concat", "concat", a=(2, 3, 5, 4), b=(2, 1, 5, 4), c=(2, 2, 5, 4)),
    _case("Concat", "concat_batch", "concat_param { axis: 0 }", a=(2, 3), b=(1, 3)),
    _case("Concat", "concat_last", "concat_param { axis: -1 }", a=(2, 3, 5), b=(2, 3, 1)),
    _case("Concat", "concat_legacy", "concat_param { concat_dim: 0 }", a=(2, 3), b=(1, 3)),
    _case("Concat", "concat_one", a=(2, 3, 5)),
    _case("Slice", "slice", "slice_param { axis: 2 slice_point: 1 slice_point: 4 }", _THREE),
    _case("Slice", "slice_even", "slice_param { axis: -1 }", _TWO),
    _case("Slice", "slice_both", "slice_param { axis: 0 slice_dim: 0 }", _TWO),
    _case("Slice", "slice_legacy", "slice_param { slice_dim: 0 }", _TWO),
    _case("Slice", "slice_one"),
    _case("Split", "split", "", _TWO),
    _case("Flatten", "flatten"),
    _case("Flatten", "flatten_middle", "flatten_param { axis: 1 end_axis: -2 }"),
    _case("Reshape", "reshape", "reshape_param { shape { dim: 0 dim: -1 dim: 2 } }"),
    _case(
        "Reshape",
        "reshape_part",
        "reshape_param { axis: 1 num_axes: 2 shape { dim: 5 dim: 1 dim: 3 } }",
    ),
    _case("Reshape", "reshape_pixels", "reshape_param { pixelshuffler: 2 }", x=(2, 8, 3, 2)),
    _case("Reshape", "reshape_insert", "reshape_param { axis: -1 shape { dim: 1 dim: 1 } }"),
    _case("Reshape", "reshape_same", "reshape_param { shape { dim: 0 dim: 0 dim: 0 dim: 0 } }"),
    _case("Tile", "tile", "tile_param { tiles: 3 }"),
    _case("Tile", "tile_last", "tile_param { axis: -1 tiles: 2 }"),
    _case("Tile", "tile_once", "tile_param { axis: 0 tiles: 1 }"),
    _case(
        "Crop",
        "crop",
        "crop_param { axis: 2 offset: 1 offset: 2 }",
        x=(2, 3, 5, 4),
        like=(9, 9, 3, 2),
    ),
    _case(
        "Crop", "crop_one_offset", "crop_param { axis: 1 offset: 1 }", x=(2, 3, 5), like=(1, 2, 4)
    ),
    _case("Crop", "crop_no_offset", x=(2, 3, 5, 4), like=(1, 1, 4, 4)),
    LayerCase(
        "Silence",
        "silence",
        net_text(
            'layer { name: "l" type: "Silence" bottom: "x" bottom: "z" }\n'
            'layer { name: "r" type: "TanH" bottom: "w" top: "y" }',
            x=(2, 3),
            z=(5,),
            w=(2,),
        ),
    ),
    _case("Reduction", "reduction_sum"),
    _case("Reduction", "reduction_abs", "reduction_param { operation: ASUM axis: 2 coeff: -3 }"),
    _case("Reduction", "reduction_squares", "reduction_param { operation: SUMSQ axis: 1 }"),
    _case("Reduction", "reduction_mean", "reduction_param { operation: MEAN axis: -1 coeff: 2 }"),
    _case("Reduction", "reduction_scalar", x=()),
    _case("ArgMax", "argmax", gradient=False),
    _case("ArgMax", "argmax_values", "argmax_param { out_max_val: true top_k: 3 }", gradient=False),
    _case(
        "ArgMax",
        "argmax_ties",
        "argmax_param { axis: 1 }",
        gradient=False,
        fill={"x": _few_values(2, 7, 3)},
        x=(2, 7, 3),
    ),
    _case(
        "ArgMax",
        "argmax_axis_three",
        "argmax_param { axis: -2 top_k: 3 }",
        gradient=False,
        fill={"x": _few_values(2, 7, 3)},
        x=(2, 7, 3),
    ),
    _case(
        "ArgMax",
        "argmax_axis_values",
        "argmax_param { axis: 0 out_max_val: true top_k: 2 }",
        gradient=False,
        x=(5, 2),
    ),
    _case(
        "ArgMax",
        "argmax_axis_value",
        "argmax_param { axis: 0 out_max_val: true }",
        gradient=False,
        x=(5, 2),
    ),
    _case("BatchReindex", "batch_reindex", fill=_ROWS, x=(3, 2, 5), i=(4,)),
    _case("BatchReindex", "batch_reindex_vector", fill=_ROWS, x=(3,), i=(4,)),
]
