"""The update rules, as scalar expressions: each is written once for every executor.

Caffe: src/caffe/solvers/*.cpp. A rule takes the gradient (after clipping, averaging over
iter_size and weight decay), the history and this iteration's numbers, and gives the step to
subtract from the parameter and the new history.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ir import expr as e
from ir.expr import Expr

from .config import SolverConfig


@dataclass(frozen=True)
class Moment:
    """What a rule sees of one parameter element.

    ``rate`` is lr * lr_mult. ``correction`` is Adam's sqrt(1 - b2^t) / (1 - b1^t), else 1.
    """

    gradient: Expr
    history: tuple[Expr, ...]
    rate: Expr
    correction: Expr


UpdateStep = tuple[Expr, tuple[Expr, ...]]
UpdateRule = Callable[[SolverConfig, Moment], UpdateStep]


def sgd(c: SolverConfig, m: Moment) -> UpdateStep:
    velocity = m.history[0] * c.momentum + m.rate * m.gradient
    return velocity, (velocity,)


def nesterov(c: SolverConfig, m: Moment) -> UpdateStep:
    velocity = m.history[0] * c.momentum + m.rate * m.gradient
    return velocity * (1.0 + c.momentum) - m.history[0] * c.momentum, (velocity,)


def adagrad(c: SolverConfig, m: Moment) -> UpdateStep:
    total = m.history[0] + m.gradient * m.gradient
    return m.rate * (m.gradient / (e.sqrt(total) + c.delta)), (total,)


def rmsprop(c: SolverConfig, m: Moment) -> UpdateStep:
    mean = m.history[0] * c.rms_decay + m.gradient * m.gradient * (1.0 - c.rms_decay)
    return m.rate * (m.gradient / (e.sqrt(mean) + c.delta)), (mean,)


def adadelta(c: SolverConfig, m: Moment) -> UpdateStep:
    keep, new = c.momentum, 1.0 - c.momentum
    squares = m.history[0] * keep + m.gradient * m.gradient * new
    step = m.gradient * e.sqrt((m.history[1] + c.delta) / (squares + c.delta))
    return m.rate * step, (squares, m.history[1] * keep + step * step * new)


def adam(c: SolverConfig, m: Moment) -> UpdateStep:
    first = m.history[0] * c.momentum + m.gradient * (1.0 - c.momentum)
    second = m.history[1] * c.momentum2 + m.gradient * m.gradient * (1.0 - c.momentum2)
    return m.rate * m.correction * (first / (e.sqrt(second) + c.delta)), (first, second)


RULES: dict[str, tuple[UpdateRule, int]] = {
    "SGD": (sgd, 1),
    "Nesterov": (nesterov, 1),
    "AdaGrad": (adagrad, 1),
    "RMSProp": (rmsprop, 1),
    "AdaDelta": (adadelta, 2),
    "Adam": (adam, 2),
}
"""Solver type -> its rule and how many history tensors it keeps per parameter."""
