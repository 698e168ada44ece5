"""rpn.proposal_layer: regions of py-faster-rcnn."""

from __future__ import annotations

from collections.abc import Sequence

from ir.graph import Value

from ..built_in_python import built_in
from ..context import LayerContext
from ..found_rows import trimmed
from ..proposals import ProposalSettings, lower_proposals
from ..rpn_settings import rpn_settings


@built_in("rpn.proposal_layer", "ProposalLayer", 3, (1, 2), "py-faster-rcnn")
def lower_proposal_layer(ctx: LayerContext) -> Sequence[Value]:
    """Regions (R, 5): image, x1, y1, x2, y2; the second top has their scores (R, 1).

    As the Proposal layer, but boxes that are too small are left out.
    rbgirshick/py-faster-rcnn: lib/rpn/proposal_layer.py.
    """
    s = rpn_settings(ctx, "feat_stride")
    made = lower_proposals(
        ctx,
        ProposalSettings(
            s.anchors(),
            s.feat_stride,
            s.rpn_min_size,
            s.rpn_pre_nms_top_n,
            s.rpn_post_nms_top_n,
            s.rpn_nms_thresh,
        ),
    )
    return [trimmed(ctx, 0, rows, made.total) for rows in (made.regions, made.scores)]
