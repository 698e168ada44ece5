"""A picture of one or several training logs: loss, other outputs, and the learning rate.

Drawn with matplotlib into a file, on any machine: no window is opened.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from ir.errors import RoasteryError

from .log_reader import LogPoint, read_log

Axis = Literal["iterations", "seconds"]

#: File name extensions that can be written.
EXTENSIONS = (".png", ".svg", ".pdf")


@dataclass
class Curve:
    """One line of a panel: values over iterations and over seconds."""

    test: bool
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
    outputs are shown beside it only where there are several.
    """
    panels: Panels = {"loss": {}, "outputs": {}, "learning rate": {}}
    train_losses = {p.name for p in points if p.kind == "train" and p.in_loss}
    several_tests = len({p.net for p in points if p.kind == "test"}) > 1
    for point in points:
        if point.kind == "loss":
            panel, label = "loss", "train loss"
        elif point.kind == "rate":
            panel, label = "learning rate", "learning rate"
        elif point.kind == "test":
            # Loss outputs of test nets belong beside the train loss, whatever their weight.
            panel = "loss" if point.in_loss else "outputs"
            label = f"test #{point.net} {point.name}" if several_tests else f"test {point.name}"
        elif point.in_loss:
            if len(train_losses) == 1:
                continue
            panel, label = "loss", f"train output {point.name}"
        else:
            panel, label = "outputs", f"train {point.name}"
        panels[panel].setdefault(label, Curve(test=point.kind == "test")).add(point)
    for curve in panels["learning rate"].values():
        # The last rate holds to the end of the log.
        last = replace(points[-1], value=curve.values[-1])
        if last.iteration >= curve.iterations[-1]:
            curve.add(last)
    return panels


def plot_logs(
    logs: Sequence[str | Path],
    output: str | Path,
    *,
    x: Axis = "iterations",
    title: str = "",
) -> Path:
    """Draw the logs into one picture; the extension of ``output`` decides its format.

    Raises:
        RoasteryError: nothing to draw, an unknown extension, no matplotlib.
    """
    output = Path(output)
    if output.suffix.lower() not in EXTENSIONS:
        raise RoasteryError(
            f"cannot draw into '{output}': its name must end in {', '.join(EXTENSIONS)}"
        )
    named = {name: collect_curves(read_log(path)) for name, path in _names(logs).items()}
    for name, panels in named.items():
        if not any(panels.values()):
            raise RoasteryError(f"'{name}' holds no training or test output to draw")
    _draw(named, x, title, output)
    return output


def _names(logs: Sequence[str | Path]) -> dict[str, Path]:
    """File names for the legend, or whole paths where two logs have the same name."""
    paths = [Path(log) for log in logs]
    short = [path.stem for path in paths]
    unique = len(set(short)) == len(short)
    return {(path.stem if unique else str(path)): path for path in paths}


def _draw(named: Mapping[str, Panels], x: Axis, title: str, output: Path) -> None:
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RoasteryError(
            "drawing needs matplotlib, which is not installed",
            hint="pip install roastery[plot]",
        ) from error

    shown = [
        panel
        for panel in ("loss", "outputs", "learning rate")
        if any(panels[panel] for panels in named.values())
    ]
    with matplotlib.rc_context({"svg.hashsalt": "roastery", "font.size": 9}):
        figure = Figure(figsize=(9, 0.6 + 2.9 * len(shown)), dpi=120, layout="constrained")
        axes = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
        for panel, axis in zip(shown, axes, strict=True):
            _draw_panel(axis, panel, named, x)
        axes[-1].set_xlabel("iterations" if x == "iterations" else "seconds")
        if title:
            figure.suptitle(title)
        # Without a date (and with a fixed salt) the same logs give the same bytes.
        metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
        try:
            figure.savefig(output, metadata=metadata.get(output.suffix.lower()))
        except OSError as error:
            raise RoasteryError(f"cannot write '{output}': {error.strerror or error}") from error


def _panel_title(panel: str, named: Mapping[str, Panels]) -> str:
    """The name that all outputs of a panel share ("accuracy"), or the panel's own."""
    words = {label.split()[-1] for panels in named.values() for label in panels[panel]}
    return words.pop() if panel == "outputs" and len(words) == 1 else panel


def _draw_panel(axis: Any, panel: str, named: Mapping[str, Panels], x: Axis) -> None:
    colors = [f"C{number}" for number in range(10)]
    number = 0
    for name, panels in named.items():
        for label, curve in panels[panel].items():
            axis.plot(
                curve.iterations if x == "iterations" else curve.seconds,
                [value if math.isfinite(value) else math.nan for value in curve.values],
                color=colors[number % len(colors)],
                linewidth=1.2,
                linestyle="--" if curve.test else "-",
                marker="o" if curve.test or len(curve.values) == 1 else None,
                markersize=3.5,
                drawstyle="steps-post" if panel == "learning rate" else "default",
                label=label if len(named) == 1 else f"{name}: {label}",
            )
            number += 1
    values = [v for panels in named.values() for c in panels[panel].values() for v in c.values]
    if panel == "learning rate" and min(values) > 0 and max(values) >= 10 * min(values):
        axis.set_yscale("log")
    axis.set_ylabel(_panel_title(panel, named))
    axis.grid(alpha=0.25, linewidth=0.6)
    axis.spines[["top", "right"]].set_visible(False)
    if not (panel == "learning rate" and len(named) == 1):
        axis.legend(frameon=False, fontsize=8)
