"""The solver loop. Caffe: src/caffe/solver.cpp (Step, Solve, Test, Snapshot)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np

from ir.errors import RoasteryError
from ir.program import PROGRESS

from ..backends.backend import is_remote
from ..distributed.ranks import ALONE, LostRanks, Ranks
from ..distributed.reduction import GradientReduction
from ..distributed.same_nets import compare_nets
from ..distributed.same_state import average_statistics, mean_outputs, saved_buffers
from ..distributed.timeline import Timeline
from ..logging.caffe_log import CaffeLog
from ..logging.solver_lines import NetOutput
from .actions import Action, ActionRequests
from .config import SolverConfig
from .detection_outputs import DetectionOutputs
from .learning_rate import LearningRate
from .loss_scaling import LossScaling, needs_scaling
from .mask_outputs import MaskOutputs
from .means import MeanOutputs
from .nets import RunnableNet, net_outputs
from .own_state import (
    draw_as,
    each_own_state,
    own_state,
    part,
    restore_own_state,
    saved_by_each,
    take_own_state,
)
from .reports import LAG, Reports
from .smoothing import SmoothedLoss
from .update import Clipping, Updater
from .warnings import LossWatch


class _Outputs(Protocol):
    """What a test makes of the outputs of its batches."""

    def add(self) -> None: ...
    def gather(self, ranks: Ranks) -> None: ...
    def tell(self, log: CaffeLog) -> list[NetOutput]: ...


_URGENCY = (Action.NONE, Action.SNAPSHOT, Action.STOP)

_OUTPUTS: dict[str, Callable[[RunnableNet, SolverConfig], _Outputs]] = {
    "classification": lambda net, config: MeanOutputs(net),
    "detection": DetectionOutputs,
    "detection_segmentation": MaskOutputs,
}
"""By eval_type."""


class Snapshots(Protocol):
    """Writes and reads a solver's files; `roastery` implements it with the file formats."""

    def claim(self, solver: Solver) -> None:
        """Make sure that no other process writes these files; may be called again."""
        ...

    def release(self) -> None:
        """End what :meth:`claim` began."""
        ...

    def save(self, solver: Solver) -> str:
        """Write weights and state; returns the state's path."""
        ...

    def load(self, solver: Solver, path: str) -> None:
        """Restore a solver from a .solverstate file."""
        ...


class Solver:
    """Trains a net.

    Args:
        train: the net that learns. tests: nets that share its parameters.
        snapshots: how to write and read snapshots; None for a solver that never does.
    """

    def __init__(
        self,
        config: SolverConfig,
        train: RunnableNet,
        tests: Sequence[RunnableNet],
        log: CaffeLog,
        snapshots: Snapshots | None = None,
    ) -> None:
        config.check()
        self.config = config
        self.train = train
        self.tests = list(tests)
        self.log = log
        self.snapshots = snapshots
        self.requests = ActionRequests()
        self.ranks: Ranks = ALONE
        self.reduction: GradientReduction | None = None
        self.iteration = 0
        self.run = ""  # a name that its snapshots have; all that go on with one have the same
        self.rate = LearningRate(config.learning_rate, log.learning_rate_step, log.minimum_loss)
        self.updater = Updater(config, train)
        self.scaling = LossScaling(train) if needs_scaling(train) else None
        self.on_solve: list[Callable[[], None]] = []  # before the first iteration of all
        self.on_start: list[Callable[[], None]] = []
        self.on_gradients_ready: list[Callable[[], None]] = []
        self.on_display: list[Callable[[bool], None]] = []  # told whether an iteration is shown
        self.on_update: list[Callable[[], None]] = []  # after the update, before the next pass
        self.smoothed = SmoothedLoss(config.average_loss)
        self._goes_on = False  # the smoothed loss is that of the run that was broken off
        self.stopped_early = False
        self._unsaved = False  # the last snapshot could not be written
        self.unshared: list[list[str]] = [[] for _ in self.tests]
        """Per test net the train net's layers that it lacks; each test names them."""
        self.takes_turns = [False for _ in self.tests]
        """Per test net whether its data sources give each rank batches of its own; else rank 0
        tests alone."""
        self._watch = LossWatch(float16=self.scaling is not None)
        self._reports = Reports(LAG if is_remote(train.backend) else 0)
        self._each: list[Mapping[str, Any]] = []  # what ranks have for themselves, in a snapshot
        self._last_shown = (0, 0.0)

    def join(
        self, ranks: Ranks, limit: int | None = None, timeline: Timeline | None = None
    ) -> None:
        """Train with other ranks from now on; all go on with the state of rank 0.

        In an iteration each computes the gradients of its own records, and all apply the mean of
        these: together they have a batch that is as many times as large. Rank 0 writes the log and
        the snapshots. Caffe: src/caffe/parallel.cpp, NCCL.

        Args:
            limit: bytes of gradients that travel at once; by default it follows the net.
            timeline: is told what happens when.

        Raises:
            RoasteryError: they train something else.
        """
        rule = {
            "the solver": self.config.type,
            "buckets": "by the net" if limit is None else f"{limit} B",
        }
        compare_nets(ranks, self.train.store, rule)
        self.ranks = ranks
        ranks.share(self.train.store.flat_diff.memory)
        self.reduction = GradientReduction(ranks, self.train.store, limit, timeline)
        self.on_gradients_ready.insert(0, self.reduction.finish)
        if ranks.rank:
            self.snapshots = None
        self.take_state_of_first(ranks)

    # --- the loop ---------------------------------------------------------------------

    def solve(self, resume: str | None = None) -> None:
        """Train to max_iter, with tests, display and snapshots as configured.

        A snapshot that cannot be written on the way is told, and tried again at the next one; at
        the end it raises RoasteryError.
        """
        try:
            self._solve(resume)
        finally:
            if self.snapshots is not None:
                self.snapshots.release()

    def _solve(self, resume: str | None) -> None:
        c = self.config
        if self.snapshots is not None and (c.snapshot or c.snapshot_after_train):
            self.snapshots.claim(self)
        self.log.solving(self.train.program.name, self.config.learning_rate.policy)
        self.stopped_early = False
        if resume is not None:
            self.restore(resume)
        for call in self.on_solve:
            call()
        before = self.iteration
        self.step(c.max_iter - self.iteration)
        if self._snapshot_is_due(before):
            self._try_snapshot()
        if self.stopped_early:
            self._insist_on_snapshot()
            self.log.stopped_early()
            return
        if c.display and self.iteration % c.display == 0:
            self.smoothed.update(self.train.forward_loss())
            (loss,) = self.ranks.mean([float(self.smoothed.value)])
            self.log.final_loss(self.iteration, loss)
        if c.test_interval and self.iteration % c.test_interval == 0:
            self.test_all()
        self._insist_on_snapshot()
        self.log.optimization_done()

    def _snapshot_is_due(self, before: int) -> bool:
        """Whether a run that began at iteration ``before`` ends with a snapshot."""
        c = self.config
        if c.snapshot_after_train:
            return not c.snapshot or self.iteration % c.snapshot != 0
        # Caffe loses what was trained since the last snapshot when a signal stops such a run.
        return bool(self.stopped_early and c.snapshot and self.iteration > before)

    def step(self, iterations: int) -> None:
        """Run some iterations. Diffs hold the last applied step afterwards."""
        c = self.config
        stop = self.iteration + iterations
        if c.snapshot and self.snapshots is not None:
            self.snapshots.claim(self)
        self._reports.settle()  # of a call that was interrupted
        if not self._goes_on:
            self.smoothed.clear()
        self._goes_on = False
        self._last_shown = (self.iteration, time.perf_counter())
        while self.iteration < stop:
            adding = self.adds_diffs
            if adding:
                self.train.store.clear_diffs()
            if (
                c.test_interval
                and self.iteration % c.test_interval == 0
                and (self.iteration > 0 or c.test_initialization)
            ):
                self.test_all()
                if self.stopped_early:
                    self.train.store.clear_diffs()
                    break
            for call in self.on_start:
                call()
            shown = bool(c.display) and self.iteration % c.display == 0
            for tell in self.on_display:
                tell(shown)
            self._tell_progress(stop)
            losses = [self._pass(number, adding=adding) for number in range(c.iter_size)]
            self._reports.add(partial(self._take_loss, losses))
            if shown:
                self._reports.settle()
                self._show()
            agreed = self._agreed_action
            if self.reduction is not None:  # it is found while gradients travel
                agreed = self._begin_to_agree()
            for call in self.on_gradients_ready:
                call()
            self.apply_update()
            action = agreed()
            if (c.snapshot and self.iteration % c.snapshot == 0) or action is Action.SNAPSHOT:
                self._try_snapshot()
            if action is Action.STOP:
                self.stopped_early = True
                break
        self._reports.settle()

    def _pass(self, number: int, *, adding: bool) -> Callable[[], float]:
        """One of an iteration's passes; gradients leave during the last one."""
        last = number == self.config.iter_size - 1
        if last and self.reduction is not None and self.reduction.timeline is not None:
            self.reduction.timeline.begin_pass()
        return self.train.training_pass(adding=adding, watch=self.reduction if last else None)

    def _agreed_action(self) -> Action:
        """The next request of any rank."""
        return self._begin_to_agree()()

    def _begin_to_agree(self) -> Callable[[], Action]:
        """Ask all ranks for their next requests; a stop comes before a snapshot."""
        highest = self.ranks.highest_later(_URGENCY.index(self.requests.take()))
        return lambda: _URGENCY[highest()]

    def _tell_progress(self, stop: int) -> None:
        """To layers that do something else as training goes on to iteration ``stop``."""
        progress = self.train.store.data.get(PROGRESS)
        if progress is not None:
            progress.put(np.array([self.iteration, stop], np.float32))

    @property
    def adds_diffs(self) -> bool:
        """Whether passes add to diffs that are zero when an iteration begins: several do, or
        somebody may look at them, or change them, before the only one. Else it overwrites them."""
        return self.config.iter_size > 1 or bool(self.on_start)

    def _take_loss(self, losses: Sequence[Callable[[], float]]) -> None:
        loss = sum(read() for read in losses) / self.config.iter_size
        self.smoothed.update(loss)
        if remark := self._watch.remark(loss):
            self.log.warning(remark)

    def _loss_now(self) -> float:
        """The smoothed loss, of this iteration too, of all ranks that have one rate."""
        self._reports.settle()
        ranks = self.ranks if self.reduction is None else self.reduction.ranks
        return ranks.mean([float(self.smoothed.value)])[0]

    def _tell_clipping(self, clipping: Callable[[], Clipping | None]) -> None:
        if clipped := clipping():
            self.log.clipping_gradients(*clipped)

    def _show(self) -> None:
        now = time.perf_counter()
        before, started = self._last_shown
        (loss,) = self.ranks.mean([float(self.smoothed.value)])
        self.log.iteration(
            self.iteration,
            loss,
            done=self.iteration - before,
            seconds=now - started,
            display=self.config.display,
        )
        self.log.train_outputs(mean_outputs(self.ranks, net_outputs(self.train)))
        self._last_shown = (self.iteration, now)

    @property
    def coming_rate(self) -> float:
        """The rate of the next update."""
        return self.rate.coming(self.iteration)

    def apply_update(self) -> None:
        """One update from the diffs as they are; leaves the applied step in them.

        It ends an iteration: ``iteration`` counts updates. Caffe: SGDSolver::ApplyUpdate.
        """
        rate = self.rate(self.iteration, self._loss_now)
        if self.config.display and self.iteration % self.config.display == 0:
            self.log.learning_rate(self.iteration, rate)
        if self._gradients_count():
            clipping = self.updater.apply(rate, self.iteration)
            if self.config.clip_gradients >= 0.0:
                self._reports.add(partial(self._tell_clipping, clipping))
        else:
            self.train.store.clear_diffs()
        self.iteration += 1
        for call in self.on_update:
            call()

    def _gradients_count(self) -> bool:
        """Whether the gradients are numbers, as far as float16 may have made them none."""
        if self.scaling is None:
            return True
        fine, had = self.scaling.after_step()
        if not fine:
            self.log.skipped_step(self.iteration, had, self.scaling.scale)
        elif self.scaling.scale != had:
            self.log.larger_loss_scale(self.iteration, had, self.scaling.scale)
        return fine

    # --- testing ----------------------------------------------------------------------

    def test_all(self) -> None:
        for index in range(len(self.tests)):
            if self.stopped_early:
                break
            self.test(index)

    def test(self, index: int = 0) -> list[NetOutput]:
        """Mean outputs of one test net over its test_iter batches, or mean average precisions."""
        net, c = self.tests[index], self.config
        self.log.testing_net(self.iteration, index)
        for layer in self.unshared[index]:
            self.log.ignoring_source_layer(layer)
        batches = c.test_iter[index]
        outputs = _OUTPUTS[c.eval_type](net, c)
        loss = 0.0
        average_statistics(self.ranks, self.train.store)
        turns = self.ranks.count if self.takes_turns[index] else 1
        for first in range(0, batches, turns):
            while (action := self._agreed_action()) is not Action.NONE:
                if action is Action.SNAPSHOT:
                    self._try_snapshot()
                else:
                    self.stopped_early = True
            if self.stopped_early:
                self.log.test_interrupted()
                return []
            if self.ranks.rank < min(turns, batches - first):
                loss += net.forward_loss()
                outputs.add()
        outputs.gather(self.ranks)
        if c.test_compute_loss:
            self.log.test_loss(sum(self.ranks.gathered(loss)) / batches)
        return outputs.tell(self.log)

    # --- snapshots --------------------------------------------------------------------

    def snapshot(self) -> None:
        """Write weights and state now: rank 0 does, of all ranks.

        Raises RoasteryError, on all of them, if they cannot be written.
        """
        self._reports.settle()
        average_statistics(self.ranks, self.train.store)
        self.smoothed.average(self.ranks.mean)
        self._each = [*each_own_state(self.ranks, self._nets())]
        error: RoasteryError | None = None
        try:
            if self.snapshots is not None:
                self.snapshots.save(self)
        except RoasteryError as raised:
            error = raised
        self._each = []
        failed = self.ranks.from_first(None if error is None else error.message)
        if failed is not None:
            raise error or RoasteryError(failed)
        self._unsaved = False

    def _try_snapshot(self) -> None:
        """Write a snapshot; where that fails, tell it and go on: space may be made meanwhile."""
        try:
            self.snapshot()
        except LostRanks:
            raise
        except RoasteryError as error:
            self._unsaved = True
            self.log.no_snapshot(self.iteration, error.message)

    def _insist_on_snapshot(self) -> None:
        """At the end: a snapshot that could not be written is tried once more."""
        if not self._unsaved:
            return
        try:
            self.snapshot()
        except LostRanks:
            raise
        except RoasteryError as error:
            raise RoasteryError(
                f"training ended at iteration {self.iteration}, and its snapshot cannot be "
                f"written: {error.message}",
                location=error.location,
                hint="earlier snapshots are as they were; of what was trained since, at most the "
                "weights were written",
            ) from error

    def restore(self, path: str) -> None:
        """Continue from a snapshot: parameters, history, iteration, data position.

        Rank 0 reads it, and the others take over what it holds; there may have been more of them,
        or fewer, when it was written.
        """
        if self.ranks.rank == 0:
            if self.snapshots is None:
                raise RuntimeError("this solver reads no snapshots")
            self.snapshots.load(self, path)
        self.take_state_of_first(self.ranks)
        self._each = []

    def take_state_of_first(self, ranks: Ranks, *, tests: bool = True) -> None:
        """Have the state of rank 0, but draw other random numbers.

        Args:
            tests: of the nets that test, too; else only rank 0 need have them.
        """
        if ranks.count == 1:
            return
        state = ranks.from_first((self.iteration, self.rate.state(), self.position()))
        self.iteration, rate, position = state
        ranks.copy_first(saved_buffers(self.train.store))
        for test in self.tests if tests else ():
            own = (v for v in test.store.variables if v not in test.store.shared)
            ranks.copy_first(test.store.data[name] for name in own)
        for history in self.updater.history:
            ranks.copy_first(history.values())
        if ranks.rank:
            self.rate.restore(rate)
            self.restore_position(position)
            take_own_state(ranks, self._nets(), self._each)

    def draw_as(self, rank: int) -> None:
        """Let random layers that would draw what rank 0 draws draw what another rank does.

        Caffe: Solver::Init.
        """
        draw_as(rank, self._nets())

    def position(self) -> dict[str, Any]:
        """What Caffe's state does not hold: the seed, data positions, random counters, the losses
        that are smoothed; for JSON."""
        self._reports.settle()
        scaling = {"loss_scale": self.scaling.position()} if self.scaling else {}
        return {
            **({"run": self.run} if self.run else {}),
            "seed": self.train.store.seed,
            **scaling,
            "smoothed": self.smoothed.position(),
            "feeds": {
                f"{key}/{layer}": source.position()
                for key, net in self._nets()
                for layer, source in net.feeds.items()
            },
            **own_state(self._nets()),
            **({"ranks": self._each} if self._each else {}),
        }

    def restore_position(self, position: Mapping[str, Any]) -> None:
        """Inverse of :meth:`position`; parts of other nets are ignored."""
        feeds = part(position, "feeds")
        if self.scaling is not None:
            self.scaling.restore(part(position, "loss_scale"))
        self._goes_on = self.smoothed.restore(part(position, "smoothed"))
        for key, net in self._nets():
            for layer, source in net.feeds.items():
                if f"{key}/{layer}" in feeds:
                    source.restore(part(feeds, f"{key}/{layer}"))
        restore_own_state(self._nets(), position)
        self._each = saved_by_each(position)

    def _nets(self) -> list[tuple[str, RunnableNet]]:
        return [("train", self.train), *((f"test{i}", net) for i, net in enumerate(self.tests))]
