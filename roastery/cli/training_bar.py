"""How far a training is, on a terminal: pictures a second, and when it will be done."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .progress import on_terminal, terminal_bar

if TYPE_CHECKING:
    from runtime.logging import CaffeLog
    from runtime.logging.records import Handler, LogRecord
    from runtime.solver.solver import Solver

_FORMAT = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {pace}]"


@contextlib.contextmanager
def training_bar(solver: Solver, log: CaffeLog, *, wanted: bool = True) -> Iterator[None]:
    """In the block the solver's iterations move a bar, below the log.

    Nothing is drawn where standard error is no terminal.
    """
    total = solver.config.max_iter
    if not wanted or not on_terminal() or total <= solver.iteration:
        yield
        return
    bar = terminal_bar(
        "training", total, _bar_class(solver), initial=solver.iteration, bar_format=_FORMAT
    )
    before = log.handlers
    log.handlers = [_AboveBar(before[0], bar), *before[1:]]

    def move() -> None:
        bar.update(solver.iteration - bar.n)

    solver.on_update.append(move)
    try:
        yield
    finally:
        solver.on_update.remove(move)
        log.handlers = before
        bar.close()


def _bar_class(solver: Solver) -> type[Any]:
    from tqdm import tqdm

    from ..training.pace import inputs_per_iteration

    class TrainingBar(tqdm):
        """Knows how many pictures an iteration takes."""

        @property
        def format_dict(self) -> dict[str, Any]:
            known = dict(super().format_dict)
            done, elapsed = known["n"] - known["initial"], known["elapsed"]
            rate = known["rate"] or (done / elapsed if done and elapsed else 0.0)
            words = [f"{_short(rate)} it/s" if rate else "? it/s"]
            if rate and (inputs := inputs_per_iteration(solver)):
                words.append(f"{_short(rate * inputs)} images/s")
            if done:
                words.append(f"loss {float(solver.smoothed.value):.4g}")
            known["pace"] = ", ".join(words)
            return known

    return TrainingBar


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


class _AboveBar:
    """Standard error's part of the log: the bar makes room for each line.

    While a test net runs the bar says so.
    """

    def __init__(self, inner: Handler, bar: Any) -> None:
        self._inner = inner
        self._bar = bar

    def __str__(self) -> str:
        return str(self._inner)

    def handle(self, record: LogRecord) -> None:
        """Write one record."""
        self._bar.clear()
        self._inner.handle(record)
        if record.event:
            doing = "testing" if record.event.startswith("test") else "training"
            self._bar.set_description_str(doing, refresh=False)
        self._bar.refresh()

    def close(self) -> None:
        """The terminal stays."""
        self._inner.close()
