"""One training of a search: some iterations, looked at every so often."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from frontends.prototxt import Message
from runtime.data.notes import to_log
from runtime.logging import CaffeLog
from runtime.logging.log_file import LogFileHandler
from runtime.solver.solver import Solver

from ..devices.compile_options import CompileRequest
from ..training.solvers import assemble
from .goal import Goal

Watch = Callable[[int, float], None]
"""Is told an iteration and the number that is compared; raises to end the training."""


class Diverged(Exception):
    """The loss is no finite number any more.

    Attributes:
        iteration: where.
    """

    def __init__(self, iteration: int) -> None:
        super().__init__(f"diverged at iteration {iteration}")
        self.iteration = iteration


@dataclass(frozen=True)
class TrialSettings:
    """How trials are trained.

    Attributes:
        iterations: of each. every: between two looks.
        device, asked, allow_python: see :func:`roastery.training.solvers.assemble`.
    """

    iterations: int
    every: int
    device: str | None
    asked: CompileRequest
    allow_python: bool | None


def trial_message(solver: Message, seed: int, every: int) -> Message:
    """A solver as a trial runs it: with this seed, no snapshots, and tests only when it is asked
    for them."""
    made = solver.copy()
    for name in ("snapshot", "test_initialization", "snapshot_after_train"):
        made.set(name, 0 if name == "snapshot" else False)
    if made.random_seed < 0:
        made.set("random_seed", seed)
    if made.test_interval:
        made.set("test_interval", (1 << 31) - 1)
    if not made.display:
        made.set("display", every)
    return made


def run_trial(
    solver: Message,
    settings: TrialSettings,
    goal: Goal,
    log_path: Path,
    watch: Watch,
) -> float:
    """Train, and give the last number that is compared.

    Args:
        goal: what is compared.
        log_path: gets the log; what was there is replaced.

    Raises Diverged where the loss ceases to be a number, and what ``watch`` raises.
    """
    log_path.unlink(missing_ok=True)
    with CaffeLog([LogFileHandler(log_path)]) as log:
        built = assemble(
            solver,
            settings.device,
            log,
            asked=settings.asked,
            allow_python=settings.allow_python,
            notes=to_log(log),
        ).solver
        try:
            return _train(built, settings, goal, watch, log)
        finally:
            close_sources(built)
            del built
            gc.collect()  # its nets, which hold each other, before the next trial needs the memory


def close_sources(solver: Solver) -> None:
    """Let go of the databases and threads of its nets."""
    for net in (solver.train, *solver.tests):
        for source in net.feeds.values():
            source.close()


def _train(
    solver: Solver, settings: TrialSettings, goal: Goal, watch: Watch, log: CaffeLog
) -> float:
    losses: list[float] = []

    def look() -> None:
        losses.append(float(solver.smoothed.value))
        if not math.isfinite(losses[-1]):
            raise Diverged(solver.iteration)

    solver.on_update.append(look)
    log.solving(solver.train.program.name, solver.config.learning_rate.policy)
    for call in solver.on_solve:
        call()
    value = math.nan
    while solver.iteration < settings.iterations:
        solver.step(min(settings.every, settings.iterations - solver.iteration))
        value = goal.measure(solver, sum(losses) / len(losses))
        losses.clear()
        if not math.isfinite(value):
            raise Diverged(solver.iteration)
        watch(solver.iteration, value)
    return value
