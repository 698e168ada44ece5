"""CtcLoss: labels whose places in a sequence are not known."""

from __future__ import annotations

import functools
import math

from frontends.schema.registry import declare_message
from frontends.schema.types import optional
from ir import expr as e
from ir.expr import Expr
from ir.graph import Value
from ir.loop_builder import LoopBuilder
from ir.ops.gather import Gather
from ir.ops.loop import StepLoop
from ir.size import larger
from ir.types import F32

from ..context import LayerContext
from ..label_sequences import label_rows, places
from ..loss_terms import softmax_pieces
from ..registry import layer

MESSAGE = declare_message(
    "CtcLossParameter",
    optional("uint32", "alphabet_size", default=0),
    optional("uint32", "time_step", default=0),
    optional("int32", "blank_label", default=0),
)

_NEVER = -1e30
"""The logarithm of a probability of 0. A number, so that differences of it are none but 0."""


@layer(
    "CtcLoss",
    param="ctc_loss_param",
    message=MESSAGE,
    bottoms=2,
    loss=True,
    no_gradient_to=(1,),
    fork="jolibrain",
    note="The loss is divided by the number of sequences, the gradient is not, as in the fork. "
    "Labels that do not fit into `time_step` steps cost 0 and have no gradient; in the fork the "
    "diff keeps what was there. A batch of blanks alone is none the fork takes.",
)
def lower_ctc_loss(ctx: LayerContext) -> Value:
    """Scores [T, N, C] and labels [N, L], filled up with blanks -> mean of -log P(labels).

    P is the sum over all ways to read the labels from one class per step, where a class may be
    repeated from step to step, and blanks may stand between labels (and must between equal ones).
    The first ``time_step`` steps are read; a softmax over the classes is part of the layer.

    A way goes through the states of a sequence: blank, first label, blank, second label, ...,
    blank. Of each state a loop over the steps carries the logarithm of the probability of all ways
    that are there; backward goes through the loop. jolibrain/caffe:
    src/caffe/layers/ctc_loss_layer.cpp, include/caffe/3rdparty/ctc/detail/cpu_ctc.cuh.
    """
    b, steps = ctx.b, ctx.param.time_step
    _check(ctx)
    streams = ctx.x.shape[1]
    labels = label_rows(ctx, streams)
    states, length = _states(ctx, labels)
    blank = float(ctx.param.blank_label)
    two_before = b.pad(states, (0, 2), (0, -2), blank)
    is_label = _odd(e.index(1)) & ((e.index(1) // 2) < e.to_int(e.arg(2)))
    again = e.index(1) > 1  # than the first label
    equal = e.equal(e.arg(0), e.arg(1))
    skips, repeated = b.maps(
        [e.where(is_label & again & rule, 1.0, 0.0) for rule in (~equal, equal)],
        states,
        two_before,
        length,
    )
    last = _probabilities(ctx, states, skips)
    # It may end in the last label, or in the blank behind it.
    end = e.to_int(e.arg(1)) * 2
    is_end = e.equal(e.index(1), end) | e.equal(e.index(1), end - 1)
    ended = b.map(e.where(is_end, e.arg(0), _NEVER), last, length)
    top = b.reduce("max", ended, (1,))
    total = b.sum(b.map(e.exp(e.arg(0) - e.stop(e.arg(1))), ended, top), (1,))
    fits = e.arg(2) + e.arg(3) <= float(steps)  # a blank must stand between equal labels
    cost = e.where(fits, -(e.stop(e.arg(0)) + e.log(e.arg(1))), 0.0)
    costs = b.map(cost, top, total, length, b.sum(repeated, (1,)))
    sum = b.sum(costs, (0, 1))
    mean = e.arg(0) / e.dyn(larger(streams, 1), F32)
    return b.reshape(b.map(e.grad_as(mean, e.arg(0)), sum), ())


def _check(ctx: LayerContext) -> None:
    p, x = ctx.param, ctx.x
    steps, classes, blank = p.time_step, p.alphabet_size, p.blank_label
    ctx.check(
        classes > 0,
        "alphabet_size is missing or 0",
        "alphabet_size",
        "give the number of classes, the blank among them",
    )
    ctx.check(steps > 0, "time_step is missing or 0", "time_step", "give the number of steps")
    ctx.check(
        0 <= blank < classes,
        f"blank_label {blank} is none of {classes} classes",
        "blank_label",
        f"it must be from 0 to {classes - 1}",
    )
    name = ctx.layer.bottom[0]
    ctx.check(
        x.type.rank >= 3 and math.prod(x.shape[2:]) == classes,
        f"'{name}' has shape {list(x.shape)}; [steps, batch, {classes}] is expected for "
        f"alphabet_size {classes}",
        "bottom",
    )
    ctx.check(
        x.shape[0] >= steps,
        f"time_step is {steps}, and '{name}' {list(x.shape)} has {x.shape[0]} steps",
        "time_step",
        f"it must be from 1 to {x.shape[0]}",
    )
    ctx.takes_labels(classes)


def _odd(number: Expr) -> Expr:
    return e.equal(number % 2, 1)


def _states(ctx: LayerContext, labels: Value) -> tuple[Value, Value]:
    """What is read in each state, [N, 2 L + 1], and how many labels there are, [N, 1].

    Blanks among the labels are left out; behind the last label stands anything.
    """
    b, blank = ctx.b, ctx.param.blank_label
    streams, columns = labels.shape
    number = e.to_int(e.arg(0))
    kept = b.map(e.where(e.equal(number, blank), 0.0, 1.0), labels)
    rows = [b.reshape(v, (streams, columns, 1)) for v in (labels, kept, places(b, kept))]
    here = (e.arg(1) > 0.0) & e.equal(e.to_int(e.arg(2)) * 2 + 1, e.index(2))
    count = 2 * columns + 1
    spread = b.map(e.where(here, e.to_float(number), 0.0), *rows, shape=(streams, columns, count))
    found = b.reshape(b.sum(spread, (1,)), (streams, count))
    states = b.map(e.where(_odd(e.index(1)), e.arg(0), float(blank)), found)
    return states, b.sum(kept, (1,))


def _probabilities(ctx: LayerContext, states: Value, skips: Value) -> Value:
    """The logarithm of the probability to be in each state after the last step, [N, states]."""
    b, steps = ctx.b, ctx.param.time_step
    scores = _scores(ctx, states)
    streams, count = states.shape
    start = b.map(e.where(e.equal(e.index(1), 0), 0.0, _NEVER), shape=(streams, count))
    loop = LoopBuilder(b, ctx.layer.name, functools.partial(StepLoop, steps))
    now, old, skip = loop.part(scores), loop.carry(start), loop.fixed(skips)
    step = loop.body
    one_before = step.pad(old, (0, 1), (0, -1), _NEVER)
    two_before = step.pad(old, (0, 2), (0, -2), _NEVER)
    stay, move = e.arg(0), e.arg(1)
    jump = e.where(e.arg(3) > 0.0, e.arg(2), _NEVER)
    top = e.stop(e.maximum(e.maximum(stay, move), jump))
    total = e.exp(stay - top) + e.exp(move - top) + e.exp(jump - top)
    new = step.map(top + e.log(total) + e.arg(4), old, one_before, two_before, skip, now)
    loop.hand_on(old, new)
    loop.stack(new)
    return loop.finish().last[old]


def _scores(ctx: LayerContext, states: Value) -> Value:
    """The logarithm of the probability of what is read in each state: [time_step, N, states]."""
    b, steps, classes = ctx.b, ctx.param.time_step, ctx.param.alphabet_size
    streams, count = states.shape
    x = b.reshape(ctx.x, (ctx.x.shape[0], streams, classes))
    x = b.slice(x, 0, 0, steps)
    softmax = softmax_pieces(ctx, x, 2)
    shape = (steps, streams, count)
    row = e.index(0) * e.dyn(streams) + e.index(1)
    place = row * classes + e.to_int(e.arg(0))
    rows = b.map(place, b.reshape(states, (1, streams, count)), shape=shape)
    size = steps * streams
    table = b.reshape(x, (size * classes, 1))
    picked = b.emit(Gather(), table, b.reshape(rows, (size * count,)))
    share = (e.arg(0) - e.stop(e.arg(1))) - e.log(e.arg(2))
    return b.map(share, b.reshape(picked, shape), softmax.top, softmax.total)
