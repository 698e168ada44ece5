"""Proposal (Faster R-CNN in C++)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from frontends.schema.registry import declare_message
from frontends.schema.types import optional, repeated
from ir.graph import Value

from ..anchors import anchors_of, away_from_zero
from ..context import LayerContext
from ..found_rows import trimmed
from ..proposals import ProposalSettings, lower_proposals
from ..registry import layer

_RATIOS = {3: (0.5, 1.0, 2.0), 1: (1.0,)}
_SCALES = {3: (8.0, 16.0, 32.0), 1: (32.0,)}
"""What the numbers of Synopsys' anchor_ratio and anchor_scale stand for."""

_SAME = {
    "base_size": "anchor_base_size",
    "min_size": "rpn_min_size",
    "post_nms_topn": "max_rois",
    "nms_thresh": "rpn_nms_thresh",
}
"""Fields of mini-caffe by which Synopsys means the same."""


@layer(
    "Proposal",
    param="proposal_param",
    message=declare_message(
        "ProposalParameter",
        optional("uint32", "feat_stride", default=16),
        optional("uint32", "base_size", default=16),
        optional("uint32", "min_size", default=16),
        repeated("float", "ratio"),
        repeated("float", "scale"),
        optional("uint32", "pre_nms_topn", default=6000),
        optional("uint32", "post_nms_topn", default=300),
        optional("float", "nms_thresh", default=0.7),
        optional("int32", "anchor_base_size", default=16),
        optional("int32", "anchor_scale", default=3),
        optional("int32", "anchor_ratio", default=3),
        optional("int32", "max_rois", default=300),
        optional("float", "rpn_min_size", default=16.0),
        optional("float", "rpn_nms_thresh", default=0.7),
    ),
    bottoms=3,
    tops=(1, 2),
    no_gradient_to=(0, 1, 2),
    fork="mini-caffe, Synopsys",
    fork_fields=("anchor_scale", "anchor_ratio", *_SAME.values()),
    note="Several images are one after the other (the forks take one). Without `ratio` and "
    "`scale` they are Synopsys': 0.5, 1, 2 and 8, 16, 32.",
)
def lower_proposal(ctx: LayerContext) -> Sequence[Value]:
    """Regions (R, 5): image, x1, y1, x2, y2; the second top has their scores (R).

    A box that is too small keeps its place with a score of 0; where fields are Synopsys', it is
    left out. luoyetx/mini-caffe: src/layers/proposal_layer.cpp; Synopsys:
    src/caffe/layers/proposal_layer.cpp.
    """
    settings = _settings(ctx)
    made = lower_proposals(ctx, settings)
    scores, first = made.scores, settings.after * ctx.x.shape[0]
    if settings.keeps_small:
        scores = ctx.b.reshape(scores, scores.shape[:1])
    return [trimmed(ctx, 0, rows, made.total, first) for rows in (made.regions, scores)]


def _settings(ctx: LayerContext) -> ProposalSettings:
    p = ctx.param
    synopsys = [
        field for field in ("anchor_scale", "anchor_ratio", *_SAME.values()) if p.has(field)
    ]
    mini = [field for field in ("ratio", "scale", *_SAME) if p.has(field)]
    if synopsys and mini:
        raise ctx.error(
            f"`{synopsys[0]}` and `{mini[0]}` are fields of two different layers",
            synopsys[0],
            "mini-caffe's has ratio and scale, Synopsys' anchor_ratio and anchor_scale",
        )
    names = {field: other if synopsys else field for field, other in _SAME.items()}
    for field in ("feat_stride", names["base_size"], "pre_nms_topn", names["post_nms_topn"]):
        ctx.check(p[field] > 0, f"{field} is {p[field]}", field, "it must be at least 1")
    threshold = p[names["nms_thresh"]]
    ctx.check(
        math.isfinite(threshold), f"{names['nms_thresh']} is {threshold:g}", names["nms_thresh"]
    )
    ratios, scales = list(p.ratio), list(p.scale)
    if not ratios and not scales:
        ratios, scales = _of_number(ctx, "anchor_ratio"), _of_number(ctx, "anchor_scale")
    for field, numbers in (("ratio", ratios), ("scale", scales)):
        ctx.check(bool(numbers), f"proposal_param has no `{field}`", field)
        for i, number in enumerate(numbers):
            ctx.check(
                1e-9 < number < 1e9, f"{field} is {number:g}", field, "it must be more than 0", i
            )
    return ProposalSettings(
        anchors_of(p[names["base_size"]], ratios, scales, away_from_zero),
        p.feat_stride,
        p[names["min_size"]],
        p.pre_nms_topn,
        p[names["post_nms_topn"]],
        threshold,
        keeps_small=not synopsys,
    )


def _of_number(ctx: LayerContext, field: str) -> list[float]:
    """3: three of them; else one."""
    known = _RATIOS if field == "anchor_ratio" else _SCALES
    return list(known.get(ctx.param[field], known[1]))
