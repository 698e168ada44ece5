"""What a search found: a table, a file of it, curves, and the best solver."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from frontends.prototxt import Message, to_text
from ir.errors import RoasteryError
from ir.printable import printable
from ir.text_table import text_table

from ..files.atomic_file import atomic_write
from .goal import Goal

_STATES = {"COMPLETE": "done", "PRUNED": "pruned", "FAIL": "failed"}


@dataclass(frozen=True, slots=True)
class TrialResult:
    """Of one trial.

    Attributes:
        state: "done", "pruned", "diverged" or "failed".
        value: the last number that was compared; None where there was none.
        values: of the fields that are searched.
    """

    number: int
    state: str
    value: float | None
    iteration: int
    seconds: float
    values: Mapping[str, Any]

    @classmethod
    def of(cls, trial: Any) -> TrialResult:
        """Of an Optuna trial."""
        about = trial.user_attrs
        state = "diverged" if about.get("diverged") else _STATES[trial.state.name]
        seen = trial.intermediate_values
        value = trial.value if state == "done" else seen[max(seen)] if seen else None
        return cls(
            trial.number,
            state,
            value,
            int(about.get("iteration", 0)),
            float(about.get("seconds", 0.0)),
            trial.params,
        )


def best_of(results: Sequence[TrialResult], goal: Goal) -> TrialResult | None:
    """The first of the best that were trained to the end."""
    best: TrialResult | None = None
    for result in results:
        if result.state != "done" or result.value is None:
            continue
        if goal.better(result.value, best.value if best is not None else None):
            best = result
    return best


def best_first(results: Sequence[TrialResult], goal: Goal) -> list[TrialResult]:
    """The best first, then those that were pruned by their last number, then all others."""
    sign = 1 if goal.direction == "minimize" else -1
    order = {"done": 0, "pruned": 1, "diverged": 2, "failed": 3}
    return sorted(
        results,
        key=lambda r: (order[r.state], r.value is None, sign * (r.value or 0.0), r.number),
    )


def shown_values(values: Mapping[str, Any]) -> str:
    """``base_lr 0.012, momentum 0.9``."""
    return ", ".join(f"{name} {shown_value(value)}" for name, value in values.items())


def shown_value(value: Any) -> str:
    """A number short, a word as it is."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return printable(str(value))


def result_table(results: Sequence[TrialResult], goal: Goal) -> str:
    """For people, the best first."""
    names = list(dict.fromkeys(name for result in results for name in result.values))
    rows = [["trial", *names, goal.metric, "", "iterations", "seconds"]]
    for result in best_first(results, goal):
        rows.append(
            [
                str(result.number),
                *(shown_value(result.values.get(name, "")) for name in names),
                "" if result.value is None else f"{result.value:.6g}",
                result.state,
                str(result.iteration),
                f"{result.seconds:.1f}",
            ]
        )
    return text_table(rows)


def result_csv(results: Sequence[TrialResult], goal: Goal) -> str:
    """For programs, in the order of the trials, numbers in full."""
    names = list(dict.fromkeys(name for result in results for name in result.values))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["trial", "state", goal.metric, "iterations", "seconds", *names])
    for r in sorted(results, key=lambda result: result.number):
        value = "" if r.value is None else repr(r.value)
        shown = [r.values.get(name, "") for name in names]
        writer.writerow([r.number, r.state, value, r.iteration, f"{r.seconds:.3f}", *shown])
    return out.getvalue()


def write_solver(solver: Message, path: Path, about: str) -> None:
    """A solver as a prototxt file, with a remark above."""
    with atomic_write(path, "w") as file:
        file.write(f"# {printable(about)}\n{to_text(solver)}")


def draw_curves(logs: Sequence[Path], path: Path, title: str) -> str:
    """A picture of all trials; returns what to tell where there is none."""
    from ..tools.log_reader import read_log
    from ..tools.plot_log import plot_logs

    drawn = []
    for log in logs:
        try:
            if any(point.kind != "rate" for point in read_log(log)):
                drawn.append(log)
        except RoasteryError:  # of a trial that ended before its first line
            continue
    if not drawn:
        return "no trial came so far that there is a curve to draw"
    try:
        plot_logs(drawn, path, title=title)
    except RoasteryError as error:
        return f"the curves are not drawn: {error.message}" + (
            f"; {error.hint}" if error.hint else ""
        )
    return ""
