"""Optuna's study of a search, which its folder keeps: it goes on where it was broken off."""

from __future__ import annotations

import contextlib
import json
import signal
import threading
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from ir.errors import RoasteryError

PrunerName = Literal["median", "hyperband", "none"]

_JOURNAL = "search.journal"
_STUDY = "roastery"
_FEW = 5
"""Trials that are not pruned, since there is nothing yet to compare with."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def check_optuna() -> None:
    """Raises RoasteryError where Optuna is not installed."""
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise RoasteryError(
            "a search needs Optuna, which is not installed",
            hint="pip install roastery[search]",
        ) from error


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """In the block no signal interrupts: it comes at its end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Study:
    """Trials and what came of them.

    Args:
        folder: is held by the caller.
        about: what a search is for; another search is refused in its folder.
        seed: of what is chosen.
        step, iterations: between two looks at a trial, and of a whole one.
    """

    def __init__(
        self,
        folder: Path,
        about: Mapping[str, Any],
        *,
        direction: str,
        seed: int,
        pruner: PrunerName,
        step: int,
        iterations: int,
    ) -> None:
        check_optuna()
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna = optuna
        self._seed = seed
        path = folder / _JOURNAL
        for stale in folder.glob(f"{_JOURNAL}.*lock*"):  # left by a search that was killed
            stale.unlink(missing_ok=True)
        self.goes_on = path.exists()
        states = optuna.trial.TrialState
        try:
            with undisturbed(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what Optuna calls experimental
                backend = optuna.storages.journal.JournalFileBackend(str(path))
                self._study = optuna.create_study(
                    storage=optuna.storages.JournalStorage(backend),
                    study_name=_STUDY,
                    direction=direction,
                    load_if_exists=True,
                    pruner=_pruner(optuna, pruner, step, iterations),
                )
                self._compare(folder, about)
                for trial in self._study.get_trials(deepcopy=False, states=(states.RUNNING,)):
                    self._study.tell(trial.number, state=states.FAIL)
                    self._study.enqueue_trial(trial.params)
        except RoasteryError:
            raise
        except Exception as error:
            raise RoasteryError(
                f"'{path}' cannot be read as the record of a search: {error}",
                hint="give another --output, or remove it to begin anew",
            ) from error

    def _compare(self, folder: Path, about: Mapping[str, Any]) -> None:
        known = self._study.user_attrs.get("about")
        wanted = json.loads(json.dumps(about))
        if known is None:
            self._study.set_user_attr("about", wanted)
            return
        for name in dict.fromkeys([*wanted, *known]):
            if known.get(name) != wanted.get(name):
                raise RoasteryError(
                    f"'{folder}' holds another search, with {name} {_told(known.get(name))}; "
                    f"here: {_told(wanted.get(name))}",
                    hint="give another --output",
                )

    # --- running trials -----------------------------------------------------------------

    def ask(self) -> Any:
        """The next trial."""
        with undisturbed(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # A search that was broken off chooses what it would have chosen.
            count = len(self._study.get_trials(deepcopy=False))
            self._study.sampler = self._optuna.samplers.TPESampler(seed=self._seed + count)
            return self._study.ask()

    def report(self, trial: Any, iteration: int, value: float) -> bool:
        """Keep a number; whether the trial is worse than others were and should end."""
        with undisturbed():
            trial.report(value, iteration)
            return bool(trial.should_prune())

    def complete(self, trial: Any, value: float, **about: Any) -> None:
        """A trial came to its end."""
        self._tell(trial, "COMPLETE", about, value)

    def prune(self, trial: Any, **about: Any) -> None:
        """A trial was ended early."""
        self._tell(trial, "PRUNED", about)

    def fail(self, trial: Any, error: str, **about: Any) -> None:
        """A trial could not be trained."""
        self._tell(trial, "FAIL", {"error": error, **about})

    def interrupt(self, trial: Any) -> None:
        """A trial was broken off, and will be the next one."""
        with undisturbed():
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
            self._study.enqueue_trial(trial.params)

    def skip(self, trial: Any, instead: Mapping[str, Any] | None) -> None:
        """A trial was tried before; ``instead``: what the next one tries."""
        with undisturbed():
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
            if instead is not None:
                self._study.enqueue_trial(dict(instead))

    def _tell(
        self, trial: Any, state: str, about: Mapping[str, Any], value: float | None = None
    ) -> None:
        with undisturbed():
            for name, each in about.items():
                trial.set_user_attr(name, each)
            self._study.tell(trial, value, state=self._optuna.trial.TrialState[state])

    # --- what came of them --------------------------------------------------------------

    def trials(self) -> list[Any]:
        """Those that came to an end, in their order, not those that were broken off or skipped."""
        return [
            trial
            for trial in self._study.get_trials(deepcopy=False)
            if trial.state.name in ("COMPLETE", "PRUNED") or "error" in trial.user_attrs
        ]


def _pruner(optuna: Any, name: PrunerName, step: int, iterations: int) -> Any:
    if name == "none":
        return optuna.pruners.NopPruner()
    if name == "hyperband":
        return optuna.pruners.HyperbandPruner(min_resource=step, max_resource=iterations)
    return optuna.pruners.MedianPruner(n_startup_trials=_FEW, n_warmup_steps=step)


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items()) or "nothing"
    return f"'{value}'" if isinstance(value, str) and len(value) < 60 else str(value)[:200]
