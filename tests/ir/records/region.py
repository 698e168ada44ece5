"""Maxima over grids on regions. Of the regions one lies partly outside, one in no image.

Where there are no images, or none of any extent, all regions lie outside.
"""

import numpy as np

from ir.ops.region import RegionMax, RegionScatter
from ir.types import I32
from tests.support.op_cases import ErrorCase, Input, OpCase, distinct, f32, i32

X = (2, 3, 6, 5)
BOXES = np.array([[0, 0, 0, 7, 9], [1, 2, 3, 6, 30], [9, 0, 0, 4, 4], [1, 4, 4, 4, 4]])


def boxes(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return BOXES


def places(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    op = RegionMax(2, 3, 0.5)
    x = rng.standard_normal(X)
    return op.reference([x, BOXES.astype(np.float64)], op.infer([f32(*X), f32(4, 5)]))[1]


EMPTY = {"no-images": (0, 3, 6, 5), "no-rows": (2, 3, 0, 5), "no-channels": (2, 0, 6, 5)}


def nowhere(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.full(shape, -1)


CASES = [
    OpCase("boxes", RegionMax(2, 3, 0.5), (Input(X, distinct), Input((4, 5), boxes)), (0,)),
    OpCase(
        "boxes",
        RegionScatter(X),
        (Input((4, 3, 2, 3)), Input((4, 3, 2, 3), places, I32), Input((4, 5), boxes)),
    ),
    *(
        OpCase(label, RegionMax(2, 3, 0.5), (Input(shape), Input((4, 5), boxes)))
        for label, shape in EMPTY.items()
    ),
    *(
        OpCase(
            label,
            RegionScatter(shape),
            (
                Input((4, shape[1], 2, 3)),
                Input((4, shape[1], 2, 3), nowhere, I32),
                Input((4, 5), boxes),
            ),
        )
        for label, shape in EMPTY.items()
    ),
]

ERRORS = [
    ErrorCase(RegionMax(2, 3, 0.5), (f32(*X), f32(4, 4)), "f32[4,4]"),
    ErrorCase(RegionMax(0, 3, 0.5), (f32(*X), f32(4, 5)), "a grid of 0 x 3"),
    ErrorCase(RegionScatter(X), (f32(4, 3, 2, 3), i32(4, 3, 2, 2), f32(4, 5)), "i32[4,3,2,2]"),
    ErrorCase(RegionScatter(X), (f32(4, 3, 2, 3), f32(4, 3, 2, 3), f32(4, 5)), "i32, not f32"),
]
