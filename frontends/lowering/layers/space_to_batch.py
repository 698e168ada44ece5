"""SpaceToBatchND and BatchToSpaceND (Synopsys' Caffe, after TensorFlow): dilation by hand."""

from __future__ import annotations

import math

from ir.graph import Value

from ..context import LayerContext
from ..registry import layer


def _blocks(ctx: LayerContext, sides: str) -> tuple[list[int], list[int], list[int]]:
    """Sizes of a block, and what is added or cut before and behind, for axes 1, 2 ..."""
    p, rank = ctx.param, ctx.x.type.rank
    sizes, around = list(p.block_shape), list(p[sides])
    ctx.check(
        0 < len(sizes) < rank,
        f"{len(sizes)} sizes of a block for a blob with {rank} axes",
        "block_shape",
        "give one for each axis from 1 on that is divided",
    )
    ctx.check(min(sizes) > 0, "a block has no elements", "block_shape", "1 or more")
    ctx.check(
        len(around) == 2 * len(sizes),
        f"{len(around)} {sides} for {len(sizes)} axes",
        sides,
        f"give {2 * len(sizes)}: before and behind, axis by axis",
    )
    return sizes, around[::2], around[1::2]


@layer("SpaceToBatchND", param="space_to_batch_nd_param", fork="Synopsys")
def lower_space_to_batch(ctx: LayerContext) -> Value:
    """Pads axes 1, 2 ..., and makes an image of the batch of every place in a block.

    synopsys-caffe: src/caffe/layers/space_to_batch_nd_layer.cpp.
    """
    b, x = ctx.b, ctx.x
    sizes, before, behind = _blocks(ctx, "paddings")
    rest = [0] * (x.type.rank - 1 - len(sizes))
    x = b.pad(x, [0, *before, *rest], [0, *behind, *rest])
    n, *extents = x.shape
    split: list[int] = [n]
    for i, (extent, size) in enumerate(zip(extents, sizes, strict=False)):
        ctx.check(
            extent % size == 0,
            f"axis {i + 1} has {extent} elements with its paddings, which do not divide by {size}",
            "block_shape",
            index=i,
        )
        split += [extent // size, size]
    count = len(sizes)
    inner = list(range(2 * count + 1, 2 * count + 1 + len(rest)))
    places = [2 * i + 2 for i in range(count)]
    cells = [2 * i + 1 for i in range(count)]
    divided = b.reshape(x, [*split, *extents[count:]])
    ordered = b.transpose(divided, [*places, 0, *cells, *inner])
    return b.reshape(ordered, [n * math.prod(sizes), *split[1::2], *extents[count:]])


@layer("BatchToSpaceND", param="batch_to_space_nd_param", fork="Synopsys")
def lower_batch_to_space(ctx: LayerContext) -> Value:
    """Puts images of the batch side by side as the places of blocks, and crops.

    synopsys-caffe: src/caffe/layers/batch_to_space_nd_layer.cpp.
    """
    b, x = ctx.b, ctx.x
    sizes, before, behind = _blocks(ctx, "crops")
    n, *extents = x.shape
    images = math.prod(sizes)
    ctx.check(
        n % images == 0, f"a batch of {n} does not divide into blocks of {images}", "block_shape"
    )
    count, rank = len(sizes), len(extents)
    divided = b.reshape(x, [*sizes, n // images, *extents])
    pairs = [axis for i in range(count) for axis in (count + 1 + i, i)]
    rest = [count + 1 + i for i in range(count, rank)]
    ordered = b.transpose(divided, [count, *pairs, *rest])
    whole = [extent * size for extent, size in zip(extents, sizes, strict=False)]
    y = b.reshape(ordered, [n // images, *whole, *extents[count:]])
    for i, (extent, first, last) in enumerate(zip(whole, before, behind, strict=True)):
        ctx.check(
            first + last < extent,
            f"crops of {first} and {last} leave nothing of the {extent} elements of axis {i + 1}",
            "crops",
            index=2 * i,
        )
        y = b.slice(y, i + 1, first, extent - last)
    return y
