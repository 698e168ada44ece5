"""One panel of a picture of logs: curves, marks, names. matplotlib draws it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..log_reader.lines import LOGGER
from .curves import Curve, Panels
from .look import Look, shown_name
from .marks import Mark, curve_marks, is_finite
from .smoothing import smoothed
from .thinning import line_pieces

#: Curves of a log's panel that have a color and a name; further ones are thin and gray.
_NAMED = 16
#: Runs of a picture that have a color and a name, likewise.
_RUNS = 40
#: How the curves of a run differ, in turn; those of test nets have marks.
_STYLES = ("-", "--", ":", "-.")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
#: How much of a curve is seen behind the smoothed one.
_FAINT = 0.25
#: Marks of a panel that are drawn.
_MARKED = 6


@dataclass(frozen=True)
class _Line:
    """A curve, whose it is, and how it looks.

    ``run``: the number of its log. ``label``: what it is called within that.
    """

    run: int
    label: str
    curve: Curve
    color: str
    style: str
    marker: str | None


class DrawnPanel:
    """One panel: curves, the marks where they stop being finite, and their names.

    The curves of one log have a colour each; of several logs each has one colour, and its curves
    differ in style.
    """

    def __init__(self, axis: Any, panel: str, named: Mapping[str, Panels], look: Look) -> None:
        self.axis = axis
        self.panel = panel
        self.look = look
        self.runs = list(named)
        # By which styles go: train curves first.
        tests = {x: c.test for panels in named.values() for x, c in panels[panel].items()}
        self.labels = sorted(tests, key=tests.__getitem__)
        self.lines: list[_Line] = []
        self.rest: list[_Line] = []
        for run, panels in enumerate(named.values()):
            for label, curve in panels[panel].items():
                self._take(run, label, curve)

    def _take(self, run: int, label: str, curve: Curve) -> None:
        number = len(self.lines)
        if len(self.runs) == 1:
            named = number < _NAMED
            style, marker = ("--", "o") if curve.test else ("-", None)
            color = f"C{number % 10}"
        else:
            place = self.labels.index(label)
            named = run < _RUNS and place < _NAMED
            style = _STYLES[place % len(_STYLES)]
            marker = _MARKERS[place % len(_MARKERS)] if curve.test else None
            color = _run_color(run, len(self.runs))
        line = _Line(run, label, curve, color if named else "0.6", style, marker)
        (self.lines if named else self.rest).append(line)

    def draw(self) -> None:
        """Fill the axes."""
        axis = self.axis
        for line in self.lines:
            self._draw_line(line)
        self._draw_rest()
        self._draw_marks()
        self._set_scale()
        axis.set_ylabel(shown_name(self._title()), parse_math=False)
        axis.grid(alpha=0.25, linewidth=0.6)
        axis.spines[["top", "right"]].set_visible(False)
        if not (self.panel == "learning rate" and len(self.runs) == 1):
            self._draw_legend()

    def _set_scale(self) -> None:
        every = [v for x in (*self.lines, *self.rest) for v in x.curve.values if is_finite(v)]
        if self.panel == "learning rate":
            if every and min(every) > 1e-100 and max(every) >= 10 * min(every):
                self.axis.set_yscale("log")
        elif self.look.log_y and self.panel == "loss":
            if any(value > 0 for value in every):
                self.axis.set_yscale("log", nonpositive="mask")
            if any(value <= 0 for value in every):
                LOGGER.warning("losses of 0 and below have no place on a logarithmic axis")

    def _points(self, curve: Curve) -> tuple[np.ndarray, np.ndarray]:
        x = np.array(curve.iterations if self.look.x == "iterations" else curve.seconds, np.float64)
        y = np.array(curve.values, np.float64)
        y[~np.fromiter(map(is_finite, curve.values), bool, len(y))] = np.nan
        return x, y

    def _draw_line(self, line: _Line) -> None:
        x, y = self._points(line.curve)
        lone = np.isfinite(y).sum() == 1
        smoothing = 0.0 if line.curve.test or self.panel == "learning rate" else self.look.smoothing
        if smoothing:
            self.axis.plot(*line_pieces(x, y), color=line.color, linewidth=0.8, alpha=_FAINT)
            y = smoothed(x, y, smoothing)
        self.axis.plot(
            *line_pieces(x, y),
            color=line.color,
            linewidth=1.2,
            linestyle=line.style,
            marker=line.marker or ("o" if lone else None),
            markersize=3.5,
            drawstyle="steps-post" if self.panel == "learning rate" else "default",
        )

    def _draw_rest(self) -> None:
        """The curves beyond those with names, as one line with gaps."""
        pieces = [line_pieces(*self._points(line.curve)) for line in self.rest]
        if pieces:
            gap = (np.full(1, np.nan),) * 2
            x, y = (
                np.concatenate([p for piece in pieces for p in (piece[i], gap[i])]) for i in (0, 1)
            )
            self.axis.plot(x, y, color="0.6", linewidth=0.5, marker=".", markersize=1, zorder=1)

    def _draw_marks(self) -> None:
        """A line where values of a curve began to be NaN or infinite, once for each place."""
        places: dict[tuple[str, int], tuple[Mark, str]] = {}
        for line in (*self.lines, *self.rest):
            for mark in curve_marks(line.label, line.curve):
                places.setdefault((mark.word, mark.iteration), (mark, line.color))
        low, high = self._range()
        for number, (mark, color) in enumerate(list(places.values())[:_MARKED]):
            x = mark.iteration if self.look.x == "iterations" else mark.seconds
            self.axis.axvline(x, color=color, linewidth=1, linestyle=":")
            right = x > (low + high) / 2
            self.axis.annotate(
                f" {mark.text} ",
                (x, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(0, -10 * number),
                textcoords="offset points",
                horizontalalignment="right" if right else "left",
                verticalalignment="top",
                fontsize=8,
                color=color,
            )

    def _range(self) -> tuple[float, float]:
        every = [
            line.curve.iterations if self.look.x == "iterations" else line.curve.seconds
            for line in (*self.lines, *self.rest)
        ]
        return min(map(min, every)), max(map(max, every))

    def _keys(self) -> list[tuple[str, dict[str, Any]]]:
        """What the legend says: names, and how what they stand for looks."""
        if len(self.runs) == 1:
            found: list[tuple[str, dict[str, Any]]] = [
                (x.label, {"color": x.color, "linestyle": x.style, "marker": x.marker})
                for x in self.lines
            ]
        else:
            colors = {line.run: line.color for line in self.lines}
            found = [(self.runs[run], {"color": color}) for run, color in colors.items()]
            styles = {x.label: {"linestyle": x.style, "marker": x.marker} for x in self.lines}
            if len(styles) > 1:
                found += [(label, {"color": "0.2", **style}) for label, style in styles.items()]
        if self.rest:
            found.append((f"{len(self.rest)} more", {"color": "0.6", "linewidth": 0.5}))
        return found

    def _draw_legend(self) -> None:
        from matplotlib.lines import Line2D

        keys = self._keys()
        handles = [
            Line2D([], [], **{"linewidth": 1.2, "markersize": 3.5, **how}) for _, how in keys
        ]
        many = len(keys) > 8
        legend = self.axis.legend(
            handles,
            ["name"] * len(keys),
            frameon=False,
            fontsize=8,
            loc="center left" if many else "best",
            bbox_to_anchor=(1.0, 0.5) if many else None,
        )
        # Set afterwards, because matplotlib leaves out names that begin with "_" and
        # takes what stands between two "$" for a formula.
        for text, (name, _) in zip(legend.get_texts(), keys, strict=True):
            text.set_parse_math(False)
            text.set_text(shown_name(name))

    def _title(self) -> str:
        """The name that all outputs of a panel share ("accuracy"), or the panel's own."""
        names = {line.curve.name for line in (*self.lines, *self.rest)}
        return names.pop() if self.panel == "outputs" and len(names) == 1 else self.panel


def _run_color(run: int, runs: int) -> str:
    """One of ten colours, or of as many as there are runs."""
    if runs <= 10:
        return f"C{run}"
    import matplotlib
    from matplotlib.colors import to_hex

    return str(to_hex(matplotlib.colormaps["turbo"](run / max(1, min(runs, _RUNS) - 1))))
