"""DepthToSpace and SpaceToDepth (Synopsys' Caffe, after TensorFlow and ONNX)."""

from __future__ import annotations

from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


def _block(ctx: LayerContext) -> int:
    size: int = ctx.param.block_size
    ctx.check(size > 0, f"block_size is {size}", "block_size", "1 or more")
    ctx.check(
        ctx.x.type.rank == 4, f"4 axes are needed, the bottom has {list(ctx.x.shape)}", "bottom"
    )
    return size


def _format(ctx: LayerContext, *known: str) -> str:
    name: str = ctx.param.data_format
    ctx.check(
        name in known, f"data_format is {name!r}", "data_format", f"one of {', '.join(known)}"
    )
    return name


@layer("DepthToSpace", param="depth_to_space_param", fork="Synopsys")
def lower_depth_to_space(ctx: LayerContext) -> Value:
    """Moves channels to cells of block_size x block_size pixels.

    NHWC, NCHW and DCR: channel (i * s + j) * C + c goes to row i and column j of c's cells; CRD:
    channel (c * s + i) * s + j. synopsys-caffe: src/caffe/layers/depth_to_space_layer.cpp.
    """
    b, x, s = ctx.b, ctx.x, _block(ctx)
    name = _format(ctx, "NHWC", "NCHW", "DCR", "CRD")
    axis = 3 if name == "NHWC" else 1
    ctx.check(
        x.shape[axis] % (s * s) == 0,
        f"{x.shape[axis]} channels do not divide into {s}x{s} pixels",
        "block_size",
    )
    c = x.shape[axis] // (s * s)
    if name == "NHWC":
        n, h, w = x.shape[:3]
        cells = b.transpose(b.reshape(x, (n, h, w, s, s, c)), (0, 1, 3, 2, 4, 5))
        return b.reshape(cells, (n, h * s, w * s, c))
    n, h, w = x.shape[0], *x.shape[2:]
    if name == "CRD":
        cells = b.transpose(b.reshape(x, (n, c, s, s, h, w)), (0, 1, 4, 2, 5, 3))
    else:
        cells = b.transpose(b.reshape(x, (n, s, s, c, h, w)), (0, 3, 4, 1, 5, 2))
    return b.reshape(cells, (n, c, h * s, w * s))


@layer("SpaceToDepth", param="space_to_depth_param", fork="Synopsys")
def lower_space_to_depth(ctx: LayerContext) -> Value:
    """The reverse of DepthToSpace: pixels of a cell become channels, cell by cell first.

    synopsys-caffe: src/caffe/layers/space_to_depth_layer.cpp.
    """
    b, x, s = ctx.b, ctx.x, _block(ctx)
    name = _format(ctx, "NHWC", "NCHW")
    rows, columns = (1, 2) if name == "NHWC" else (2, 3)
    for axis in (rows, columns):
        ctx.check(
            x.shape[axis] % s == 0,
            f"axis {axis} has {x.shape[axis]} elements, which do not divide into cells of {s}",
            "block_size",
        )
    if name == "NHWC":
        n, h, w, c = x.shape
        cells = b.transpose(b.reshape(x, (n, h // s, s, w // s, s, c)), (0, 1, 3, 2, 4, 5))
        return b.reshape(cells, (n, h // s, w // s, s * s * c))
    n, c, h, w = x.shape
    cells = b.transpose(b.reshape(x, (n, c, h // s, s, w // s, s)), (0, 3, 5, 1, 2, 4))
    return b.reshape(cells, (n, s * s * c, h // s, w // s))
