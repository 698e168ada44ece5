"""Maxima and sums over grids on regions. Of the regions one lies partly outside, one in no image.

Where there are no images, or none of any extent, all regions lie outside.
"""

import numpy as np

from ir.op import Op
from ir.ops.region import RegionMax, RegionScatter
from ir.ops.region_sum import RegionSpread, RegionSum
from ir.types import F32, I32, TensorType
from tests.support.op_cases import ErrorCase, Input, Make, OpCase, distinct, f32, i32

X = (2, 3, 6, 5)
APART = (2, 18, 6, 5)  # of which every cell has 3 channels of its own
GRID = (2, 3)
IMAGES = [0, 1, 9, 1, -1]
VERTICAL = [[0, 2, 3, 7], [-3, 1, 2, 6], [0, 1, 2, 3], [3, 3, 3, 5], [0, 2, 2, 4]]
HORIZONTAL = [
    [0, 1, 2, 2, 3, 9],
    [1, 2, 4, 3, 4, 5],
    [0, 1, 2, 1, 2, 3],
    [2, 2, 5, 2, 4, 8],
    [0, 1, 2, 1, 2, 3],
]
COUNT = len(IMAGES)


def these(values: list[int] | list[list[int]]) -> Make:
    return lambda rng, shape: np.array(values, np.int32)


CELLS = (
    Input((COUNT,), these(IMAGES), I32),
    Input((COUNT, 4), these(VERTICAL), I32),
    Input((COUNT, 6), these(HORIZONTAL), I32),
)
TYPES = tuple(x.type for x in CELLS)
WEIGHTS = (Input((COUNT, 2, 6)), Input((COUNT, 3, 5)))
G = (COUNT, 3, *GRID)


def places(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    op = RegionMax()
    cells = [x.array(rng) for x in CELLS]
    return op.reference([rng.standard_normal(X), *cells], op.infer([f32(*X), *TYPES]))[1]


EMPTY = {"no-images": (0, 3, 6, 5), "no-rows": (2, 3, 0, 5), "no-channels": (2, 0, 6, 5)}


def nowhere(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.full(shape, -1)


def _empty(shape: tuple[int, ...]) -> list[tuple[Op, tuple[Input, ...]]]:
    g = (COUNT, shape[1], *GRID)
    return [
        (RegionMax(), (Input(shape),)),
        (RegionSum(), (Input(shape),)),
        (RegionSpread(shape), (Input(g),)),
        (RegionScatter(shape), (Input(g), Input(g, nowhere, I32))),
    ]


CASES = [
    OpCase("boxes", RegionMax(), (Input(X, distinct), *CELLS), (0,)),
    OpCase("boxes", RegionScatter(X), (Input(G), Input(G, places, I32), *CELLS)),
    OpCase("boxes", RegionSum(), (Input(X), *CELLS), (0,)),
    OpCase("boxes", RegionSpread(X), (Input(G), *CELLS), (0,)),
    OpCase("weighted", RegionSum(), (Input(X), *CELLS, *WEIGHTS), (0,)),
    OpCase("weighted", RegionSpread(X), (Input(G), *CELLS, *WEIGHTS), (0,)),
    OpCase("by-cell", RegionSum(by_cell=True), (Input(APART), *CELLS), (0,)),
    OpCase("by-cell", RegionSpread(APART, by_cell=True), (Input(G), *CELLS), (0,)),
    OpCase("weighted-by-cell", RegionSum(True), (Input(APART), *CELLS, *WEIGHTS), (0,)),
    OpCase("weighted-by-cell", RegionSpread(APART, True), (Input(G), *CELLS, *WEIGHTS), (0,)),
    *(
        OpCase(label, op, (*inputs, *CELLS))
        for label, shape in EMPTY.items()
        for op, inputs in _empty(shape)
    ),
]

_LONG = TensorType((COUNT, 6), F32)
ERRORS = [
    ErrorCase(RegionMax(), (f32(2, 3, 6), *TYPES), "four axes"),
    ErrorCase(RegionMax(), (f32(*X), TYPES[0], TYPES[1], _LONG), "i32, not f32"),
    ErrorCase(RegionMax(), (f32(*X), i32(4), *TYPES[1:]), "i32[5,4] and i32[5,6] of i32[4]"),
    ErrorCase(RegionMax(), (f32(*X), i32(5, 1), *TYPES[1:]), "the number of an image"),
    ErrorCase(RegionMax(), (f32(*X), TYPES[0], i32(5, 3), TYPES[2]), "3 ends"),
    ErrorCase(RegionMax(), (f32(*X), TYPES[0], i32(5), TYPES[2]), "ranks of 2"),
    ErrorCase(RegionScatter(X), (f32(*G), i32(5, 3, 2, 2), *TYPES), "i32[5,3,2,2]"),
    ErrorCase(RegionScatter(X), (f32(*G), f32(*G), *TYPES), "i32, not f32"),
    ErrorCase(RegionScatter(APART), (f32(*G), i32(*G), *TYPES), "f32[5,3,2,3] of cells"),
    ErrorCase(RegionSum(True), (f32(*X), *TYPES), "3 channels for 2 x 3 cells"),
    ErrorCase(RegionSum(), (f32(*X), *TYPES, f32(5, 2, 6)), "4 values say where cells are"),
    ErrorCase(RegionSum(), (f32(*X), *TYPES, f32(5, 2, 6), f32(5, 3, 6)), "weights f32[5,3,6]"),
    ErrorCase(RegionSpread(APART), (f32(*G), *TYPES), "f32[5,3,2,3] of cells"),
]
