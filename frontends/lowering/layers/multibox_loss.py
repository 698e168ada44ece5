"""MultiBoxLoss (SSD)."""

from __future__ import annotations

from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.size import larger
from ir.types import F32, I32

from ..context import LayerContext
from ..ground_truth import ground_truth
from ..loss_terms import loss_positions
from ..multibox.boxes import Boxes
from ..multibox.matching import Matches, find_matches, match_losses
from ..multibox.mining import Miner
from ..multibox.scores import (
    logistic_losses,
    softmax_losses,
    unmined_logistic_losses,
    wanted_classes,
)
from ..multibox.settings import Settings, read_settings
from ..registry import layer


@layer(
    "MultiBoxLoss",
    param="multibox_loss_param",
    bottoms=4,
    loss=True,
    no_gradient_to=(2, 3),
    also=("loss_param",),
    fork="SSD",
    note="In TEST Caffe keeps the matches of its first batch; here each batch has its own. With "
    "LOGISTIC all scores but one should be background_label_id, and without mining the targets "
    "of image i begin at i times the number of priors, both as in Caffe. Of equal losses the first "
    "are mined; Caffe's sort leaves that open.",
)
def lower_multibox_loss(ctx: LayerContext) -> Value:
    """Losses of boxes and of classes, of priors that match ground truth and of hard others.

    Bottoms: offsets (N, P*4, or P*C*4), scores (N, P*C), priors (1, 2, P*4), and ground truth (1,
    1, G, 8), of which G may be another in every batch.
    weiliu89/caffe, ssd: src/caffe/layers/multibox_loss_layer.cpp, src/caffe/util/bbox_util.cpp.
    """
    b, s = ctx.b, read_settings(ctx)
    boxes = Boxes.of(ctx, s)
    matches = find_matches(ctx, s, boxes, ground_truth(ctx, 3, any_data=True))
    wanted = wanted_classes(ctx, s, matches)
    scores = b.reshape(ctx.bottoms[1], (s.batch, s.priors, s.classes))
    offset_losses = match_losses(ctx, boxes, matches)
    score_losses = _score_losses(ctx, s, scores, wanted, matches)
    if not s.mines:
        return _total(ctx, s, offset_losses, score_losses, _trained(ctx, matches))
    mined_by = score_losses
    if not s.softmax and s.background != 0:  # mined by other targets than are trained
        mined_by = logistic_losses(ctx, scores, wanted, 0.0)
    hard = s.param.mining_type == "HARD_EXAMPLE"
    if hard:
        per_prior = b.reshape(offset_losses, (s.batch, s.priors, 2))
        mined_by = b.add(mined_by, b.sum(per_prior, (2,)))
    chosen = Miner(ctx, s, boxes, matches).chosen(mined_by)

    def flags(first: int) -> tuple[Expr, Expr]:
        """Of arguments ``matched`` and ``chosen``: which offsets, and which scores, are trained."""
        matched, is_chosen = e.arg(first, I32), e.equal(e.arg(first + 1, I32), 1)
        positive = (matched >= 0) & is_chosen if hard else matched >= 0
        return positive, positive | (e.equal(matched, -1) & is_chosen)

    count = b.map(e.where(flags(0)[0], 1.0, 0.0), matches.matched, chosen)
    kept = e.where(flags(1)[1], e.arg(0), 0.0)
    score_losses = b.map(kept, score_losses, matches.matched, chosen)
    if hard:  # which leave out some of those that match
        parts = [b.reshape(v, (s.batch, s.priors, 1, 1)) for v in (matches.matched, chosen)]
        offset_losses = b.map(e.where(flags(1)[0], e.arg(0), 0.0), offset_losses, *parts)
    return _total(ctx, s, offset_losses, score_losses, count)


def _score_losses(
    ctx: LayerContext, s: Settings, scores: Value, wanted: Value, matches: Matches
) -> Value:
    """(N, P, 1): of each prior, whether it is trained or not."""
    if s.softmax:
        return softmax_losses(ctx, scores, wanted)
    if s.mines:
        return logistic_losses(ctx, scores, wanted, float(s.background))
    return unmined_logistic_losses(ctx, s, scores, matches)


def _trained(ctx: LayerContext, matches: Matches) -> Value:
    """1 of each match whose offsets are trained, without mining; else 0."""
    s = matches.settings
    labels = ctx.b.reshape(matches.labels(ctx), matches.matched.shape)
    hit = e.arg(0, I32) >= 0
    if not s.shared and not s.per_kind:
        hit = hit & matches.known(e.to_int(e.arg(1)))
    return ctx.b.map(e.where(hit, 1.0, 0.0), matches.matched, labels)


def _total(ctx: LayerContext, s: Settings, offsets: Value, scores: Value, matched: Value) -> Value:
    """Both sums, of those that propagate_down leaves in, over what loss_param says."""
    b, p = ctx.b, s.param
    flows = [bool(f) for f in ctx.layer.propagate_down][:2] or [True, True]
    sums = [b.reshape(b.sum(v, range(v.type.rank)), (1,)) for v in (offsets, scores)]
    count = b.reshape(b.sum(matched, range(matched.type.rank)), (1,))
    total = e.const(0.0)
    for flow, weight, i in zip(flows, (p.loc_weight, 1.0), (0, 1), strict=True):
        if flow:
            total = total + e.arg(i) * weight
    normalization = loss_positions(ctx.layer.loss_param, 1, 1).normalization
    whole = {"FULL": s.batch * s.priors, "BATCH_SIZE": s.batch, "NONE": 1}
    if normalization == "VALID":
        divisor = e.maximum(e.arg(2), 1.0)
    else:
        divisor = e.dyn(larger(whole[normalization], 1), F32)
    return b.reshape(b.map(total / divisor, *sums, count), ())
