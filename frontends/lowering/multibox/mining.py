"""Which priors of a MultiBoxLoss are trained: hard negatives, or hard examples."""

from __future__ import annotations

from dataclasses import dataclass

from ir import expr as e
from ir.graph import Value
from ir.ops.gather import Gather, ScatterAdd
from ir.ops.selection import Largest
from ir.ops.sort import TopK
from ir.ops.suppression import NonMaximum
from ir.size import smaller
from ir.types import F32, I32

from ..context import LayerContext
from .boxes import Boxes
from .matching import Matches
from .settings import Settings

NEVER = -3.0e38
"""The loss of what may not be chosen: less than any."""

SMALL = 1e-5
"""Boxes with a smaller area are no examples (SSD: ApplyNMS)."""


@dataclass(frozen=True)
class Miner:
    """Chooses by losses (N, P, 1) of a layer with shared offsets. SSD: MineHardExamples."""

    ctx: LayerContext
    settings: Settings
    boxes: Boxes
    matches: Matches

    def chosen(self, losses: Value) -> Value:
        """i32 (N, P, 1): 1 of those that are chosen."""
        b, s = self.ctx.b, self.settings
        negatives = s.param.mining_type == "MAX_NEGATIVE"
        matched, overlap = e.arg(0, I32), e.arg(1)
        may = e.equal(matched, -1) & (overlap < s.param.neg_overlap)
        eligible = e.where(may, 1, 0) if negatives else e.where(matched >= -2, 1, 0)
        allowed = b.map(eligible, self.matches.matched, self.matches.overlap)
        count = self._negatives(allowed) if negatives else self._samples()
        kept = e.where(e.equal(e.arg(0, I32), 1), e.arg(1), NEVER)
        score = b.reshape(b.map(kept, allowed, losses), (s.batch, s.priors))
        suppression = s.param.nms_param
        if s.param.has("nms_param") and suppression.nms_threshold > 0.0:
            picked = self._suppressed(score, count)
        else:
            picked = b.emit(Largest(), score, b.reshape(count, (s.batch,)))
        return b.reshape(picked, (s.batch, s.priors, 1))

    def _negatives(self, allowed: Value) -> Value:
        """i32 (N, 1): neg_pos_ratio times those that match, of those that may be chosen."""
        b, s = self.ctx.b, self.settings
        positive = b.map(e.where(e.arg(0, I32) >= 0, 1.0, 0.0), self.matches.matched)
        there, positives = b.sum(allowed, (1,)), b.sum(positive, (1,))
        wanted = e.minimum(e.arg(0) * s.param.neg_pos_ratio, e.dyn(s.priors, F32))
        count = e.minimum(e.to_int(wanted), e.arg(1, I32))
        return b.reshape(b.map(count, positives, there), (s.batch, 1))

    def _samples(self) -> Value:
        """i32 (N, 1): sample_size in images with boxes."""
        b, s = self.ctx.b, self.settings
        owner = self.matches.owner
        row = b.reshape(owner, (1, owner.shape[0]))
        mine = e.where(e.equal(e.arg(0, I32), e.index(0)), 1, 0)
        found = b.reduce("max", b.map(mine, row, shape=(s.batch, owner.shape[0])), (1,))
        return b.map(e.where(e.arg(0, I32) > 0, s.param.sample_size, 0), found)

    def _suppressed(self, score: Value, count: Value) -> Value:
        """i32 (N, P): the best ``count`` of what non-maximum suppression leaves."""
        b, s = self.ctx.b, self.settings
        batch, priors = s.batch, s.priors
        top_k = s.param.nms_param.top_k  # Caffe gives it no default: it is 0, and none is left
        if top_k == 0:
            return b.fill(0, (batch, priors))
        kept = priors if top_k < 0 else smaller(priors, top_k)
        best, places = b.emit_all(TopK(kept, tie="first"), score)
        row = e.arg(0, I32)
        if s.param.use_prior_for_nms:
            table, flat = b.reshape(self.boxes.priors(self.ctx), (priors, 4)), row
        else:
            table = b.reshape(self.boxes.predicted(self.ctx), (batch * priors, 4))
            flat = e.index(0) * e.dyn(priors) + row
        rows = b.reshape(b.map(flat, places), (batch * kept,))
        boxes = b.reshape(b.emit(Gather(), table, rows), (batch, kept, 4))
        x1, y1, x2, y2 = (b.slice(boxes, 2, i, i + 1) for i in range(4))
        width, height = e.arg(2) - e.arg(0), e.arg(3) - e.arg(1)
        area = e.where((width < 0.0) | (height < 0.0), 0.0, width * height)
        large = b.map(e.where(area < SMALL, 0, 1), x1, y1, x2, y2)
        # A box without area stands in nobody's way.
        solid = b.map(e.where(e.equal(e.arg(1, I32), 1), e.arg(0), 0.0), boxes, large)
        there = b.sum(b.map(e.where(e.arg(0) > NEVER, 1, 0), best), (1,))
        op = NonMaximum(s.param.nms_param.nms_threshold)
        left, _ = b.emit_all(op, solid, b.reshape(there, (batch,)))
        stays = e.equal(e.arg(0, I32), 1) & e.equal(e.arg(1, I32), 1)
        large = b.reshape(large, (batch, kept))
        scored = b.map(e.where(stays, e.arg(2), NEVER), left, large, best)
        number = b.sum(b.map(e.where(stays, 1, 0), left, large), (1,))
        fewer = b.map(e.minimum(e.arg(0, I32), e.arg(1, I32)), number, count)
        chosen = b.emit(Largest(), scored, b.reshape(fewer, (batch,)))
        spot = e.index(0) * e.dyn(priors) + row
        spots = b.reshape(b.map(spot, places), (batch * kept,))
        ones = b.map(e.to_float(e.arg(0, I32)), b.reshape(chosen, (batch * kept, 1)))
        marks = b.emit(ScatterAdd(batch * priors), ones, spots)
        marked = b.map(e.where(e.arg(0) > 0.0, 1, 0), marks)
        return b.reshape(marked, (batch, priors))
