"""DetectionOutput of maps that nobody has put in order: Synopsys' `no_permute`.

Each of ``nbottom`` maps gives scores (N, classes, R, H * W) and offsets (N, R * L * 4, H, W); what
Permute, Flatten and Concat make of them in SSD is made here.
synopsys-caffe: src/caffe/layers/detection_output_layer.cpp.
"""

from __future__ import annotations

import math

from ir.graph import Value
from ir.size import same_size

from .context import LayerContext


def joined_detections(ctx: LayerContext) -> tuple[Value, Value, Value]:
    """Offsets, scores and priors as three bottoms: box by box, row by row, map after map."""
    p, b = ctx.param, ctx.b
    maps = p.nbottom
    ctx.check(
        maps > 0 and len(ctx.bottoms) == 2 * maps + 1,
        f"{len(ctx.bottoms)} bottoms for {maps} maps",
        "nbottom",
        f"{2 * maps + 1} are meant: the scores of every map, their offsets, and the priors",
    )
    boxed = 1 if p.share_location else max(1, p.num_classes)
    offsets, scores = [], []
    for i in range(maps):
        conf, loc = ctx.bottoms[i], ctx.bottoms[i + maps]
        ctx.check(
            loc.type.rank == 4 and loc.shape[1] % (4 * boxed) == 0,
            f"'{ctx.layer.bottom[i + maps]}' has shape {list(loc.shape)}; (N, boxes * {4 * boxed}, "
            "H, W) is expected",
            "bottom",
            index=i + maps,
        )
        n, channels, h, w = loc.shape
        boxes = channels // (4 * boxed)
        wanted = (n, p.num_classes, boxes, h * w)
        ctx.check(
            conf.type.rank == 4
            and all(same_size(a, c) for a, c in zip(conf.shape, wanted, strict=True)),
            f"'{ctx.layer.bottom[i]}' has shape {list(conf.shape)}; {list(wanted)} is expected: "
            "scores of classes, boxes, places",
            "bottom",
            index=i,
        )
        placed = b.transpose(loc, (0, 2, 3, 1))
        offsets.append(b.reshape(placed, (n, h * w * channels)))
        ordered = b.transpose(conf, (0, 3, 2, 1))
        scores.append(b.reshape(ordered, (conf.shape[0], math.prod(conf.shape[1:]))))
    return b.concat(offsets, 1), b.concat(scores, 1), ctx.bottoms[2 * maps]
