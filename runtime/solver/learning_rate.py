"""The learning rate of each iteration. Caffe: src/caffe/solvers/sgd_solver.cpp."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from ir.errors import RoasteryError
from ir.location import Location

from .plateau import Plateau

RateState = tuple[float, int, float, int]
"""base_lr, current_step, and the smallest loss of "plateau" and when it was."""


@dataclass(frozen=True, slots=True)
class LearningRateConfig:
    """The solver's fields that decide the rate; see :data:`POLICIES` for who reads which.

    ``stepsize``, ``max_iter``, ``stepvalue``, ``plateau_winsize`` and ``display`` count iterations.
    ``location`` is where the solver file gives the policy; errors show it.
    """

    policy: str
    base_lr: float
    gamma: float = 0.0
    power: float = 0.0
    stepsize: int = 0
    stepvalue: tuple[int, ...] = ()
    max_iter: int = 0
    plateau_winsize: tuple[int, ...] = ()
    display: int = 0
    location: Location | None = None


class LearningRate:
    """Computes the rate of one iteration after the other.

    Rates are float32 values, as in Caffe. "step", "multistep" and "plateau" keep ``current_step``,
    which is part of a solver's snapshot. The latter two take one step per iteration at most, so
    they depend on being asked for every iteration in turn.

    Args:
        config: checked here; mistakes raise RoasteryError.
        on_step: called with (iteration, current_step, policy) when one of these takes a step.
        on_minimum: called with (iteration, loss) to tell the smallest loss of "plateau".

    Attributes:
        plateau: where the loss stands, with policy "plateau".
    """

    def __init__(
        self,
        config: LearningRateConfig,
        on_step: Callable[[int, int, str], None] | None = None,
        on_minimum: Callable[[int, float], None] | None = None,
    ) -> None:
        _check(config)
        self.config = config
        self.current_step = 0
        self._on_step = on_step
        self._formula = POLICIES[config.policy]
        self.plateau: Plateau | None = None
        if config.policy == "plateau":
            self.plateau = Plateau(config.plateau_winsize, config.display, on_minimum=on_minimum)

    def __call__(self, iteration: int, loss: Callable[[], float] | None = None) -> float:
        """The rate with which ``iteration`` (from 0) updates the parameters.

        ``loss`` gives its smoothed loss, which only "plateau" asks for.
        """
        step = self._step_at(iteration)
        if self.plateau is not None and loss is not None:
            step = self.plateau.step(iteration, step, loss())
        if step != self.current_step:
            self.current_step = step
            if self.config.policy in ("multistep", "plateau") and self._on_step is not None:
                self._on_step(iteration, step, self.config.policy)
        if self.plateau is not None:
            self.plateau.tell(iteration)
        return self._rate(iteration, step)

    def coming(self, iteration: int) -> float:
        """What a call for ``iteration`` would give, as far as no loss decides; nothing moves."""
        return self._rate(iteration, self._step_at(iteration))

    def set_base(self, base_lr: float) -> None:
        """Change ``base_lr`` while training."""
        self.config = replace(self.config, base_lr=base_lr)

    def state(self) -> RateState:
        """What decides the coming rates, besides iterations and losses."""
        plateau = self.plateau or Plateau(())
        return self.config.base_lr, self.current_step, plateau.minimum_loss, plateau.last_event

    def restore(self, state: RateState) -> None:
        """Inverse of :meth:`state`."""
        base_lr, self.current_step, minimum_loss, last_event = state
        self.set_base(base_lr)
        if self.plateau is not None:
            self.plateau.minimum_loss, self.plateau.last_event = minimum_loss, last_event

    def _step_at(self, iteration: int) -> int:
        config, step = self.config, self.current_step
        if config.policy == "step":
            return iteration // config.stepsize
        if config.policy == "multistep":
            values = config.stepvalue
            return step + 1 if step < len(values) and iteration >= values[step] else step
        return step

    def _rate(self, iteration: int, step: int) -> float:
        try:
            return _single(self._formula(self.config, iteration, step))
        except (OverflowError, ZeroDivisionError):  # 0 ^ -power at the end of poly
            return math.inf


def _single(value: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.float32(value))


def _fixed(config: LearningRateConfig, iteration: int, step: int) -> float:
    return config.base_lr


def _stepped(config: LearningRateConfig, iteration: int, step: int) -> float:
    return _single(config.base_lr) * _single(config.gamma) ** step


def _exp(config: LearningRateConfig, iteration: int, step: int) -> float:
    return _single(config.base_lr) * _single(config.gamma) ** iteration


def _inv(config: LearningRateConfig, iteration: int, step: int) -> float:
    base = _single(1.0 + _single(config.gamma) * iteration)
    return _single(config.base_lr) * base ** -_single(config.power)


def _poly(config: LearningRateConfig, iteration: int, step: int) -> float:
    # A run that goes on beyond max_iter (stepping from Python) stays at the end of the curve;
    # the formula itself would give NaN there for most powers.
    left = _single(1.0 - _single(iteration / config.max_iter))
    return _single(config.base_lr) * max(left, 0.0) ** _single(config.power)


def _sigmoid(config: LearningRateConfig, iteration: int, step: int) -> float:
    exponent = -_single(config.gamma) * (iteration - config.stepsize)
    if exponent > 700.0:  # exp overflows, the rate is 0 long before
        return 0.0
    return _single(config.base_lr) * (1.0 / (1.0 + math.exp(exponent)))


#: Policy -> the rate as a function of (config, iteration, current_step).
POLICIES: MappingProxyType[str, Callable[[LearningRateConfig, int, int], float]] = MappingProxyType(
    {
        "fixed": _fixed,  # base_lr
        "step": _stepped,  # base_lr * gamma ^ floor(iteration / stepsize)
        "exp": _exp,  # base_lr * gamma ^ iteration
        "inv": _inv,  # base_lr * (1 + gamma * iteration) ^ -power
        "multistep": _stepped,  # base_lr * gamma ^ (values of stepvalue that are reached)
        "poly": _poly,  # base_lr * (1 - iteration / max_iter) ^ power
        "sigmoid": _sigmoid,  # base_lr / (1 + exp(-gamma * (iteration - stepsize)))
        "plateau": _stepped,  # base_lr * gamma ^ (times that the loss stopped falling); SSD's
    }
)


def _check(config: LearningRateConfig) -> None:
    policy, where = config.policy, config.location
    if policy not in POLICIES:
        raise _unknown_policy(policy, where)
    if policy in ("step", "sigmoid") and config.stepsize <= 0:
        raise RoasteryError(
            f"lr_policy '{policy}' needs a stepsize above 0, and it is {config.stepsize}",
            location=where,
            hint="give the number of iterations, such as `stepsize: 10000`",
        )
    if (
        policy in ("step", "exp", "inv", "multistep", "sigmoid", "plateau")
        and not config.gamma >= 0
    ):
        raise RoasteryError(
            f"lr_policy '{policy}' needs a gamma of 0 or more, and it is {config.gamma:g}",
            location=where,
        )
    if policy == "plateau" and not all(window > 0 for window in config.plateau_winsize):
        raise RoasteryError(
            f"plateau_winsize is {', '.join(map(str, config.plateau_winsize))}; a window is at "
            "least one iteration long",
            location=where,
        )
    if policy == "multistep" and any(
        later < earlier for earlier, later in pairwise(config.stepvalue)
    ):
        values = ", ".join(map(str, config.stepvalue))
        raise RoasteryError(
            f"lr_policy 'multistep' takes its stepvalues in their order, and they fall: {values}",
            location=where,
            hint="sort the stepvalues",
        )
    if policy == "plateau" and not all(window > 0 for window in config.plateau_winsize):
        raise RoasteryError(
            f"plateau_winsize is {', '.join(map(str, config.plateau_winsize))}; a window is at "
            "least one iteration long",
            location=where,
        )
    if policy == "multistep" and any(value < 0 for value in config.stepvalue):
        raise RoasteryError(
            f"stepvalue is {min(config.stepvalue)}; it counts iterations, from 0", location=where
        )
    if policy == "poly" and config.max_iter <= 0:
        raise RoasteryError(
            f"lr_policy 'poly' ends at max_iter, which must be above 0 and is {config.max_iter}",
            location=where,
        )


def _unknown_policy(policy: str, where: Location | None) -> RoasteryError:
    known = ", ".join(POLICIES)
    if not policy:
        return RoasteryError("the solver has no lr_policy", location=where, hint=f"one of: {known}")
    close = get_close_matches(policy.lower(), POLICIES, n=1)
    suggestion = f"did you mean '{close[0]}'? " if close else ""
    return RoasteryError(
        f"unknown lr_policy '{policy}'", location=where, hint=f"{suggestion}known: {known}"
    )
