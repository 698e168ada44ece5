"""Which priors of a MultiBoxLoss match which ground truth."""

from __future__ import annotations

from dataclasses import dataclass

from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.ops.gather import Gather
from ir.ops.match import Match
from ir.types import I32

from ..box_coding import Corners
from ..context import LayerContext
from ..ground_truth import BOX, LABEL, WIDTH, GroundTruth
from .boxes import Boxes, fixed, halves
from .settings import Settings


@dataclass(frozen=True)
class Matches:
    """What priors match.

    Attributes:
        matched: i32 (N, P, M): a row of ground truth, -1: none, -2: the prior counts for nothing.
            M is the number of classes where each is matched for itself, else 1.
        overlap: (N, P, M), as op Match tells it.
        rows: (N, P, M, 8): the rows that are matched, else zeros.
        owner: i32 (G, 1): the image of each row; -1: it does not count.
    """

    settings: Settings
    matched: Value
    overlap: Value
    rows: Value
    owner: Value

    @property
    def label(self) -> Expr:
        """Of the row that is argument 0, of column LABEL."""
        return e.to_int(e.arg(0))

    def labels(self, ctx: LayerContext) -> Value:
        """(N, P, M, 1): as they stand in the ground truth, 0 where nothing is matched."""
        return ctx.b.slice(self.rows, 3, LABEL, LABEL + 1)

    def known(self, label: Expr) -> Expr:
        """Whether a class has offsets of its own: those of others, and of the background, match
        nothing where offsets are not shared."""
        s = self.settings
        return (label >= 0) & (label < e.dyn(s.classes)) & e.not_equal(label, s.background)

    def hits(self, matched: Expr, label: Expr) -> Expr:
        """Whether offsets (N, P, L, ...) are trained, of their prior's match and its label."""
        s = self.settings
        if s.shared or s.per_kind:
            return matched >= 0
        mine = e.equal(label, e.index(2))
        return (matched >= 0) & mine & e.not_equal(label, s.background)


def find_matches(
    ctx: LayerContext, settings: Settings, boxes: Boxes, truth: GroundTruth
) -> Matches:
    """Match priors, or what is predicted, with ground truth. SSD: FindMatches, MatchBBox."""
    b, s, p = ctx.b, settings, settings.param
    owner = truth.items(ctx, difficult=p.use_difficult_gt)
    sets, kinds, among = owner, 1, boxes.priors(ctx)
    if not p.use_prior_for_matching:
        among = b.reshape(boxes.predicted(ctx), (s.batch * s.kinds, s.priors, 4))
    if s.per_kind:
        item, label, kinds = e.arg(0, I32), e.to_int(e.arg(1)), s.classes
        fits = (item >= 0) & (label >= 0) & (label < e.dyn(kinds))
        fits = fits & e.not_equal(label, s.background)
        mine = e.where(fits, item * e.dyn(kinds) + label, -1)
        sets = b.map(mine, owner, truth.column(ctx, LABEL))
    op = Match(
        s.batch * kinds,
        p.overlap_threshold,
        rest=p.match_type == "PER_PREDICTION",
        inside=p.ignore_cross_boundary_bbox,
    )
    found = b.emit_all(op, among, truth.boxes(ctx), b.reshape(sets, (truth.count,)))
    matched, overlap = (
        b.transpose(b.reshape(v, (s.batch, kinds, s.priors)), (0, 2, 1))
        if kinds != 1
        else b.reshape(v, (s.batch, s.priors, 1))
        for v in found
    )
    picked = b.emit(Gather(), truth.rows, b.reshape(matched, (s.batch * s.priors * kinds,)))
    rows = b.reshape(picked, (s.batch, s.priors, kinds, WIDTH))
    return Matches(s, matched, overlap, rows, owner)


def match_losses(ctx: LayerContext, boxes: Boxes, matches: Matches) -> Value:
    """(N, P, L, 2): what offsets are wrong by, where they are trained; else 0.

    Of each x and y the losses of both corners, or of centre and size. SSD: EncodeLocPrediction.
    """
    b, s = ctx.b, matches.settings
    p = s.param
    shape = (s.batch, s.priors, s.kinds, 2)
    matched = b.reshape(matches.matched, (*matches.matched.shape, 1))
    truth = halves(ctx, b.slice(matches.rows, 3, BOX, BOX + 4))
    first = len(boxes.values)
    low, high = fixed(first)
    hits = matches.hits(e.arg(first + 2, I32), e.to_int(e.arg(first + 3)))
    # Where nothing is matched the row is zeros: let no logarithm be taken of its size.
    told = Corners(low, e.where(hits, high, low + 1.0))
    trained: list[Expr] = [hits, hits]
    if p.bp_inside:
        trained = [hits & within for within in boxes.inside()]
    losses = [
        e.where(counts, _loss(away, p.loc_loss_type), 0.0)
        for counts, away in zip(trained, boxes.differences(told), strict=True)
    ]
    values = [*boxes.values, *truth, matched, matches.labels(ctx)]
    return b.map(losses[0] + losses[1], *values, shape=shape)


def _loss(away: Expr, kind: str) -> Expr:
    square = away * away * 0.5
    if kind == "L2":
        return square
    distance = e.absolute(away)
    return e.where(distance < 1.0, square, distance - 0.5)
