"""Trains a net again and again, each time with other settings of its solver."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from frontends.prototxt import Message, to_text
from ir.errors import RoasteryError

from ..files.atomic_file import atomic_write
from .folder import held_folder
from .goal import Goal, find_goal
from .one_trial import Diverged, TrialSettings, close_sources, run_trial, trial_message
from .report import (
    TrialResult,
    best_first,
    best_of,
    draw_curves,
    result_csv,
    result_table,
    shown_values,
    write_solver,
)
from .space import SearchSpace
from .study import PrunerName, Study, check_optuna, undisturbed

BEST, TABLE, CURVES = "best.prototxt", "trials.csv", "curves.png"
"""What a search leaves in its folder, beside the logs of trials."""


@dataclass(frozen=True)
class SearchRequest:
    """What to search for.

    Attributes:
        solver: as trials run it, but for what is searched. written: as the best one is written.
        trials: how many there are to be, with those of earlier calls.
        metric, direction: see :func:`roastery.searching.goal.find_goal`; "": the usual.
        settings: of trials.
        seed: of what is chosen, and of nets whose solver has none.
    """

    solver: Message
    written: Message
    space: SearchSpace
    folder: Path
    trials: int
    settings: TrialSettings
    metric: str = ""
    direction: str = ""
    pruner: PrunerName = "median"
    seed: int = 0


@dataclass
class SearchTold:
    """Takes what a search says: lines, notes, and how far it is (iterations done, of all)."""

    line: Callable[[str], None]
    note: Callable[[str], None]
    progress: Callable[[int, int], None] = field(default=lambda done, total: None)


class _Pruned(Exception):
    """A trial is worse than others were at its iteration."""

    def __init__(self, iteration: int, value: float) -> None:
        super().__init__()
        self.iteration = iteration
        self.value = value


def search(request: SearchRequest, told: SearchTold) -> TrialResult:
    """Run the trials that are missing, and write what came of all; gives the best one.

    A signal ends it as it ends a command, after what there is was written: a search with the same
    request goes on.

    Raises RoasteryError for what is wrong with the request, where the first trial cannot be
    trained, and where none came to its end.
    """
    check_optuna()
    with held_folder(request.folder):
        running = _Search(request, told)
        try:
            running.run()
        except KeyboardInterrupt:
            with undisturbed():
                running.write()
            told.note(f"broken off; the same command goes on in '{request.folder}'")
            raise
        best = running.write(last=True)
    if best is None:
        raise RoasteryError(
            "no trial came to its end: there is no best solver",
            hint=f"'{request.folder / TABLE}' says how each ended; where the loss became NaN, try "
            "smaller learning rates in another --output",
        )
    return best


class _Search:
    def __init__(self, request: SearchRequest, told: SearchTold) -> None:
        self._request = request
        self._told = told
        self._goal = self._found_goal()
        about = {
            "solver": to_text(request.written),
            "ranges": request.space.texts(),
            "metric": self._goal.metric,
            "direction": self._goal.direction,
            "seed": request.seed,
            "number of iterations": request.settings.iterations,
        }
        self._study = Study(
            request.folder,
            about,
            direction=self._goal.direction,
            seed=request.seed,
            pruner=request.pruner,
            step=request.settings.every,
            iterations=request.settings.iterations,
        )
        if self._study.goes_on and (before := len(self._study.trials())):
            told.note(f"going on in '{request.folder}', after {before} trial(s)")

    def _found_goal(self) -> Goal:
        """What is compared, by the nets as the solver file has them; they are not trained."""
        from ..training.solvers import assemble

        request, settings = self._request, self._request.settings
        message = request.solver.copy()
        request.space.apply(message, request.space.first())
        solver = assemble(
            trial_message(message, request.seed, settings.every),
            settings.device,
            asked=settings.asked,
            allow_python=settings.allow_python,
        ).solver
        try:
            return find_goal(solver, request.metric, request.direction)
        finally:
            close_sources(solver)

    # --- trials -------------------------------------------------------------------------

    def run(self) -> None:
        """The trials that are missing."""
        request = self._request
        while (done := len(self._study.trials())) < request.trials:
            tried = [trial.params for trial in self._study.trials()]
            if len(tried) >= request.space.size:
                self._told.note("all values were tried")
                return
            trial = self._study.ask()
            try:
                request.space.suggest(trial)
                if trial.params in tried:
                    self._study.skip(trial, request.space.untried(tried))
                else:
                    self._try(trial, done)
            except KeyboardInterrupt:
                self._study.interrupt(trial)
                raise

    def _try(self, trial: Any, done: int) -> None:
        request, settings = self._request, self._request.settings
        values = request.space.suggest(trial)
        name = f"trial {trial.number}: {shown_values(values)}"
        solver = request.solver.copy()
        request.space.apply(solver, values)
        settings = replace(settings, iterations=min(settings.iterations, solver.max_iter))
        log = self._log_of(trial.number)
        began = time.monotonic()
        each = request.settings.iterations
        total = request.trials * each

        def watch(iteration: int, value: float) -> None:
            self._told.progress(done * each + iteration, total)
            if self._study.report(trial, iteration, value) and iteration < settings.iterations:
                raise _Pruned(iteration, value)

        def about(iteration: int) -> dict[str, Any]:
            return {"iteration": iteration, "seconds": time.monotonic() - began}

        metric = self._goal.metric
        try:
            message = trial_message(solver, request.seed, settings.every)
            value = run_trial(message, settings, self._goal, log, watch)
        except _Pruned as end:
            self._study.prune(trial, **about(end.iteration))
            said = f"{metric} {end.value:.6g}, pruned at iteration {end.iteration}"
        except Diverged as end:
            self._study.prune(trial, diverged=True, **about(end.iteration))
            said = str(end)
        except RoasteryError as error:
            none_before = all(t.state.name == "FAIL" for t in self._study.trials())
            self._study.fail(trial, error.message, **about(0))
            if none_before:
                raise
            said = f"failed: {error.message}"
        else:
            before = best_of(self._results(), self._goal)
            self._study.complete(trial, value, **about(settings.iterations))
            best = self._goal.better(value, before.value if before is not None else None)
            said = f"{metric} {value:.6g}" + (", the best so far" if best else "")
        self._told.progress((done + 1) * each, total)
        self._told.line(f"{name}: {said}")

    # --- what came of them --------------------------------------------------------------

    def _results(self) -> list[TrialResult]:
        return [TrialResult.of(trial) for trial in self._study.trials()]

    def write(self, last: bool = False) -> TrialResult | None:
        """The table, the best solver, and with ``last`` the curves; gives the best trial."""
        results = self._results()
        if not results:
            return None
        with atomic_write(self._request.folder / TABLE, "w") as file:
            file.write(result_csv(results, self._goal))
        self._told.line("")
        for line in result_table(results, self._goal).splitlines():
            self._told.line(line)
        best = best_of(results, self._goal)
        if best is not None:
            self._write_best(best, len(results))
        if last:
            self._draw(results)
        return best

    def _write_best(self, best: TrialResult, count: int) -> None:
        request, metric = self._request, self._goal.metric
        solver = request.written.copy()
        request.space.apply(solver, best.values)
        if solver.random_seed < 0:
            solver.set("random_seed", request.seed)  # as its trial began
        about = (
            f"Trial {best.number} of {count}: {metric} {best.value:.6g} "
            f"after {best.iteration} iterations, by roastery tune_solver"
        )
        path = request.folder / BEST
        write_solver(solver, path, about)
        self._told.line(
            f"best: trial {best.number}, {metric} {best.value:.6g}; "
            f"train it by `roastery train --solver={path}`"
        )

    def _draw(self, results: list[TrialResult]) -> None:
        """The curves of trials that have a log, the best first."""
        logs = [self._log_of(result.number) for result in best_first(results, self._goal)]
        title = f"{len(results)} trials, {self._goal.metric}"
        path = self._request.folder / CURVES
        if said := draw_curves([log for log in logs if log.exists()], path, title):
            self._told.note(said)

    def _log_of(self, number: int) -> Path:
        return self._request.folder / f"trial_{number:03d}.log"
