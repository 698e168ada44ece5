"""Windows. Places are what WindowMax gives: an element inside its own window, or -1."""

import numpy as np

from ir.ops.window import WindowMax, WindowPick, WindowScatter, WindowSpread, WindowSum
from ir.types import I32
from tests.support.op_cases import ErrorCase, Input, OpCase, distinct, f32, i32

POOL = {"window": (1, 1, 3, 2), "stride": (1, 1, 2, 2), "low": (0, 0, 1, 0), "high": (0, 0, 1, 0)}
# Caffe's ceiling rule: the last window hangs over; and one that ends before the axis does.
CEIL = {"window": (1, 1, 2, 2), "stride": (1, 1, 2, 2), "low": (0, 0, 0, 0), "high": (0, 0, 1, -1)}
ACROSS = {"window": (1, 3, 1, 1), "stride": (1,) * 4, "low": (0, 1, 0, 0), "high": (0, 1, 0, 0)}
X = (2, 3, 5, 4)


def places(kind):
    """Places of random maxima over an X-shaped input."""

    def make(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        op = WindowMax(**kind)
        _, place = op.reference([rng.standard_normal(X)], op.infer([f32(*X)]))
        assert place.shape == shape
        place[0, 0] = -1
        return place

    return make


CASES = [
    OpCase("pool", WindowSum(**POOL), (Input(X),), (0,)),
    OpCase("across", WindowSum(**ACROSS), (Input(X),), (0,)),
    OpCase("ceil", WindowSum(**CEIL), (Input((2, 3, 5, 5)),), (0,)),
    OpCase("pool", WindowSpread(**POOL, shape=X), (Input((2, 3, 3, 2)),), (0,)),
    OpCase("ceil", WindowSpread(**CEIL, shape=(2, 3, 5, 5)), (Input((2, 3, 3, 2)),), (0,)),
    OpCase("pool", WindowMax(**POOL), (Input(X, distinct),), (0,)),
    OpCase("ceil", WindowMax(**CEIL), (Input((2, 3, 5, 5), distinct),), (0,)),
    OpCase(
        "pool",
        WindowScatter(**POOL, shape=X),
        (Input((2, 3, 3, 2)), Input((2, 3, 3, 2), places(POOL), I32)),
        (0,),
    ),
    OpCase("pool", WindowPick(**POOL), (Input(X), Input((2, 3, 3, 2), places(POOL), I32)), (0,)),
]

ERRORS = [
    ErrorCase(WindowSum(**POOL), (f32(2, 3, 5),), "rank 3"),
    ErrorCase(WindowSum(**POOL), (f32(2, 3, 4, 4),), "windows do not fit"),
    ErrorCase(WindowSpread(**POOL, shape=X), (f32(2, 3, 3, 3),), "(2, 3, 3, 2) expected"),
    ErrorCase(WindowMax(**ACROSS), (f32(*X),), "slides over leading axes"),
    ErrorCase(WindowScatter(**POOL, shape=X), (f32(2, 3, 3, 2), f32(2, 3, 3, 2)), "i32"),
    ErrorCase(WindowScatter(**POOL, shape=X), (f32(2, 3, 3, 3), i32(2, 3, 3, 3)), "expected"),
    ErrorCase(WindowPick(**POOL), (f32(*X), i32(2, 3, 3, 3)), "(2, 3, 3, 2) expected"),
]
