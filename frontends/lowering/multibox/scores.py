"""Losses of the class scores of a MultiBoxLoss."""

from __future__ import annotations

from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.ops.gather import ScatterAdd
from ir.types import I32

from ..context import LayerContext
from ..loss_terms import SMALLEST, softmax_pieces
from .matching import Matches
from .settings import Settings


def wanted_classes(ctx: LayerContext, settings: Settings, matches: Matches) -> Value:
    """i32 (N, P, 1): the class of what is matched, else the background.

    Of a prior that several classes match, each for itself, it is the last.
    """
    b, s = ctx.b, settings
    matched, label = e.arg(0, I32), e.to_int(e.arg(1))
    there = matched >= 0
    if not s.shared and not s.per_kind:
        there = there & matches.known(label)
    if s.param.map_object_to_agnostic:
        label = e.const(s.background + 1)
    labels = b.reshape(matches.labels(ctx), matches.matched.shape)
    if not s.per_kind:
        return b.map(e.where(there, label, s.background), matches.matched, labels)
    last = b.reduce("max", b.map(e.where(there, e.index(2), -1), matches.matched), (2,))
    found = e.const(s.background + 1) if s.param.map_object_to_agnostic else e.arg(0, I32)
    return b.map(e.where(e.arg(0, I32) >= 0, found, s.background), last)


def softmax_losses(ctx: LayerContext, scores: Value, wanted: Value) -> Value:
    """(N, P, 1): -log of the probability of class ``wanted`` among scores (N, P, C)."""
    b = ctx.b
    s = softmax_pieces(ctx, scores, 2)
    shifted = e.arg(0) - e.stop(e.arg(1))
    mine = e.equal(e.index(2), e.arg(2, I32))
    picked = b.sum(b.map(e.where(mine, shifted, 0.0), scores, s.top, wanted), (2,))
    logit, total, number = e.arg(0), e.arg(1), e.arg(2, I32)
    named = (number >= 0) & (number < e.dyn(scores.shape[2]))
    probability = e.where(named, e.exp(logit) / total, 0.0)
    # The value saturates, the gradient stays probability - 1: that of the unclamped loss.
    term = e.grad_as(0.0 - e.log(e.maximum(probability, SMALLEST)), e.log(total) - logit)
    return b.map(term, picked, s.total, wanted)


def logistic(score: Expr, target: Expr) -> Expr:
    """Cross-entropy of sigmoid(score), in a form that cannot overflow."""
    softplus = e.unary("log1p", e.exp(-e.absolute(score)))
    value = e.maximum(score, 0.0) - score * target + softplus
    return e.grad_as(value, e.stop(e.sigmoid(score) - target) * score)


def logistic_losses(ctx: LayerContext, scores: Value, wanted: Value, others: float) -> Value:
    """(N, P, 1): of all classes, which should be 1 if they are ``wanted`` and else ``others``."""
    target = e.where(e.equal(e.index(2), e.arg(1, I32)), 1.0, others)
    return ctx.b.sum(ctx.b.map(logistic(e.arg(0), target), scores, wanted), (2,))


def unmined_logistic_losses(
    ctx: LayerContext, settings: Settings, scores: Value, matches: Matches
) -> Value:
    """(N, P, 1), where all priors are trained: those that match nothing for no class.

    The targets of image i begin at i times the number of priors, instead of at i times the number
    of scores: so does SSD's EncodeConfPrediction.
    """
    b, s = ctx.b, settings
    count = s.batch * s.priors * s.classes
    matched, label = e.arg(0, I32), e.to_int(e.arg(1))
    there = matched >= 0
    if not s.shared and not s.per_kind:
        there = there & matches.known(label)
    if s.param.map_object_to_agnostic:
        label = e.const(s.background + 1)
    there = there & (label >= 0) & (label < e.dyn(s.classes))
    place = e.index(0) * e.dyn(s.priors) + e.index(1) * e.dyn(s.classes) + label
    labels = b.reshape(matches.labels(ctx), matches.matched.shape)
    places = b.map(e.where(there, place, -1), matches.matched, labels)
    each = places.type.size
    ones = b.fill(1.0, (each, 1))
    hit = b.emit(ScatterAdd(count), ones, b.reshape(places, (each,)))
    target = e.where(e.arg(1) > 0.0, 1.0, float(s.background))
    losses = b.map(logistic(e.arg(0), target), scores, b.reshape(hit, scores.shape))
    return b.sum(losses, (2,))
