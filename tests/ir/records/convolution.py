"""Convolution and its gradients."""

from ir.ops.convolution import Conv, ConvInputGrad, ConvWeightGrad
from tests.support.op_cases import ErrorCase, Input, OpCase, brain, f32, half, i32

PLAIN = {"stride": (1, 1), "pad": (0, 0), "dilation": (1, 1)}
MIXED = {"stride": (2, 1), "pad": (1, 2), "dilation": (1, 2), "group": 2}
LINE = {"stride": (2,), "pad": (1,), "dilation": (1,)}
CUBE = {"stride": (1, 2, 1), "pad": (1, 0, 1), "dilation": (1, 1, 1)}

CASES = [
    OpCase("plain", Conv(**PLAIN), (Input((2, 3, 5, 4)), Input((4, 3, 3, 2))), (0, 1)),
    OpCase("mixed", Conv(**MIXED), (Input((2, 4, 7, 6)), Input((6, 2, 3, 2))), (0, 1)),
    OpCase("1d", Conv(**LINE), (Input((2, 3, 7)), Input((2, 3, 3))), (0, 1)),
    OpCase("3d", Conv(**CUBE), (Input((1, 2, 3, 5, 4)), Input((3, 2, 2, 3, 3))), (0, 1)),
    OpCase(
        "plain",
        ConvInputGrad(**PLAIN, spatial=(5, 4)),
        (Input((2, 4, 3, 3)), Input((4, 3, 3, 2))),
        (0, 1),
    ),
    OpCase(
        # (8 + 2 - 3) / 2 leaves a remainder: the last row is read by no window.
        "mixed",
        ConvInputGrad(**MIXED, spatial=(8, 6)),
        (Input((2, 6, 4, 8)), Input((6, 2, 3, 2))),
        (0, 1),
    ),
    OpCase(
        "plain",
        ConvWeightGrad(**PLAIN, window=(3, 2)),
        (Input((2, 3, 5, 4)), Input((2, 4, 3, 3))),
        (0, 1),
    ),
    OpCase(
        "mixed",
        ConvWeightGrad(**MIXED, window=(3, 2)),
        (Input((2, 4, 7, 6)), Input((2, 6, 4, 8))),
        (0, 1),
    ),
]

ERRORS = [
    ErrorCase(Conv(**PLAIN), (f32(2, 3, 5, 4), f32(4, 2, 3, 3)), "3 channels, the weights take 2"),
    ErrorCase(Conv(**PLAIN), (f32(2, 3, 5), f32(4, 3, 3, 3)), "ranks 3 and 4"),
    ErrorCase(Conv(**PLAIN), (f32(2, 3, 2, 4), f32(4, 3, 3, 3)), "is larger than input"),
    ErrorCase(Conv(**MIXED), (f32(2, 4, 7, 6), f32(5, 2, 3, 2)), "5 outputs in 2 groups"),
    ErrorCase(Conv(**LINE), (f32(2, 3, 5, 4), f32(4, 3, 3, 3)), "2 spatial axes"),
    ErrorCase(
        ConvInputGrad(**PLAIN, spatial=(5, 4)),
        (f32(2, 4, 3, 4), f32(4, 3, 3, 2)),
        "(3, 3) expected",
    ),
    ErrorCase(
        ConvWeightGrad(**PLAIN, window=(3, 2)), (f32(2, 3, 5, 4), f32(3, 4, 3, 3)), "f32[2,3,5,4]"
    ),
    *(
        ErrorCase(op, (f32(2, 3, 5, 4), other(3, 3, 3, 2)), "both must be of one float type")
        for op in (Conv(**PLAIN), ConvInputGrad(**PLAIN), ConvWeightGrad(**PLAIN))
        for other in (half, brain, i32)
    ),
]
