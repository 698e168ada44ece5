"""The numbers of a log as curves, sorted into panels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..log_reader import LogPoint

Axis = Literal["iterations", "seconds"]


@dataclass
class Curve:
    """One line of a panel: values over iterations and over seconds. ``name``: of the output."""

    test: bool
    name: str = ""
    iterations: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, point: LogPoint) -> None:
        """Append one number of the log."""
        self.iterations.append(point.iteration)
        self.seconds.append(point.seconds)
        self.values.append(point.value)


#: Panel ("loss", "outputs", "learning rate") -> label -> curve.
Panels = dict[str, dict[str, Curve]]


def collect_curves(points: Sequence[LogPoint]) -> Panels:
    """Sort the numbers of a log into panels.

    The train loss is the displayed one, which ``average_loss`` smooths; the train net's own loss
    outputs are shown beside it only where there are several. Every value of an output that has
    several is a curve of its own.
    """
    panels: Panels = {"loss": {}, "outputs": {}, "learning rate": {}}
    labels = _Labels(points)
    curves: dict[tuple[object, ...], Curve | None] = {}
    for point in points:
        key = (point.kind, point.name, point.net, point.element, point.in_loss)
        if key not in curves:
            place = labels.place(point)
            curves[key] = place and panels[place[0]].setdefault(
                place[1], Curve(point.kind == "test", point.name)
            )
        curve = curves[key]
        if curve is not None:
            curve.add(point)
    for curve in panels["learning rate"].values():
        # The last rate holds to the end of the log.
        last = points[-1]._replace(value=curve.values[-1])
        if last.iteration >= curve.iterations[-1]:
            curve.add(last)
    return panels


class _Labels:
    """Says where the numbers of a log are drawn, and what their curves are called."""

    def __init__(self, points: Sequence[LogPoint]) -> None:
        self._train_losses = {p.name for p in points if p.kind == "train" and p.in_loss}
        self._several_tests = len({p.net for p in points if p.kind == "test"}) > 1
        self._several_values = {p.name for p in points if p.element}

    def place(self, point: LogPoint) -> tuple[str, str] | None:
        """Panel and label; None for what another curve shows already."""
        if point.kind == "loss":
            return "loss", "train loss"
        if point.kind == "rate":
            return "learning rate", "learning rate"
        name = point.name
        if name in self._several_values:
            name += f"[{point.element}]"
        if point.kind == "test":
            # Loss outputs of test nets belong beside the train loss, whatever their weight.
            net = f" #{point.net}" if self._several_tests else ""
            return ("loss" if point.in_loss else "outputs"), f"test{net} {name}"
        if not point.in_loss:
            return "outputs", f"train {name}"
        if len(self._train_losses) == 1 and not point.element:
            return None
        return "loss", f"train output {name}"
