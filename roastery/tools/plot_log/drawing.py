"""Panels of curves, drawn with matplotlib."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ir.errors import RoasteryError

from ...files.atomic_file import atomic_write
from .curves import Axis, Curve, Panels
from .marks import Mark, curve_marks, is_finite
from .thinning import line_pieces

#: Curves of a panel that have a color and a name; further ones are thin and gray.
_NAMED = 16
#: Marks of a panel that are drawn.
_MARKED = 6
#: Characters of a name that are shown.
_LONGEST = 60


def draw(named: Mapping[str, Panels], x: Axis, title: str, output: Path) -> None:
    """Write a picture of logs by their names.

    Raises:
        RoasteryError: no matplotlib, or the picture cannot be written.
    """
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
    kind = output.suffix.lower()
    # Without a date (and with a fixed salt) the same logs give the same bytes.
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(kind)
    with (
        matplotlib.rc_context({"svg.hashsalt": "roastery", "font.size": 9, "text.usetex": False}),
        warnings.catch_warnings(),
        atomic_write(output) as file,
    ):
        # Names in scripts that the font lacks are no reason to fill the terminal.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure = Figure(figsize=(9, 0.6 + 2.9 * len(shown)), dpi=120, layout="constrained")
        axes = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
        for panel, axis in zip(shown, axes, strict=True):
            _Panel(axis, panel, named, x).draw()
        axes[-1].set_xlabel("iterations" if x == "iterations" else "seconds")
        if title:
            figure.suptitle(shown_name(title), parse_math=False)
        figure.savefig(file, format=kind[1:], metadata=metadata)


def shown_name(name: str) -> str:
    """A name as a picture can show it: no control characters, not too long."""
    if len(name) > _LONGEST:
        name = f"{name[: _LONGEST // 2]}...{name[-_LONGEST // 2 :]}"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)


class _Panel:
    """One panel: curves, the marks where they stop being finite, and their names."""

    def __init__(self, axis: Any, panel: str, named: Mapping[str, Panels], x: Axis) -> None:
        self.axis = axis
        self.panel = panel
        self.x = x
        self.logs = len(named)
        self.curves = [
            (label if self.logs == 1 else f"{name}: {label}", curve)
            for name, panels in named.items()
            for label, curve in panels[panel].items()
        ]

    def draw(self) -> None:
        """Fill the axes."""
        axis = self.axis
        handles = [
            self._draw_curve(f"C{number % 10}", curve)
            for number, (_, curve) in enumerate(self.curves[:_NAMED])
        ]
        self._draw_rest()
        self._draw_marks()
        if self.panel == "learning rate":
            values = [v for _, curve in self.curves for v in curve.values if is_finite(v)]
            if values and min(values) > 1e-100 and max(values) >= 10 * min(values):
                axis.set_yscale("log")
        axis.set_ylabel(shown_name(self._title()), parse_math=False)
        axis.grid(alpha=0.25, linewidth=0.6)
        axis.spines[["top", "right"]].set_visible(False)
        if not (self.panel == "learning rate" and self.logs == 1):
            self._draw_legend(handles)

    def _points(self, curve: Curve) -> tuple[np.ndarray, np.ndarray]:
        x = np.array(curve.iterations if self.x == "iterations" else curve.seconds, np.float64)
        y = np.array(curve.values, np.float64)
        y[~np.fromiter(map(is_finite, curve.values), bool, len(y))] = np.nan
        return line_pieces(x, y)

    def _draw_curve(self, color: str, curve: Curve) -> Any:
        x, y = self._points(curve)
        (line,) = self.axis.plot(
            x,
            y,
            color=color,
            linewidth=1.2,
            linestyle="--" if curve.test else "-",
            marker="o" if curve.test or np.isfinite(y).sum() == 1 else None,
            markersize=3.5,
            drawstyle="steps-post" if self.panel == "learning rate" else "default",
        )
        return line

    def _draw_rest(self) -> None:
        """The curves beyond those with names, as one line with gaps."""
        pieces = [self._points(curve) for _, curve in self.curves[_NAMED:]]
        if pieces:
            gap = (np.full(1, np.nan),) * 2
            x, y = (
                np.concatenate([p for piece in pieces for p in (piece[i], gap[i])]) for i in (0, 1)
            )
            self.axis.plot(x, y, color="0.6", linewidth=0.5, marker=".", markersize=1, zorder=1)

    def _draw_marks(self) -> None:
        """A line where values of a curve began to be NaN or infinite, once for each place."""
        places: dict[tuple[str, int], tuple[Mark, str]] = {}
        for number, (label, curve) in enumerate(self.curves):
            color = f"C{number % 10}" if number < _NAMED else "0.6"
            for mark in curve_marks(label, curve):
                places.setdefault((mark.word, mark.iteration), (mark, color))
        low, high = self._range()
        for number, (mark, color) in enumerate(list(places.values())[:_MARKED]):
            x = mark.iteration if self.x == "iterations" else mark.seconds
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
        every = [curve.iterations if self.x == "iterations" else curve.seconds
                 for _, curve in self.curves]  # fmt: skip
        return min(map(min, every)), max(map(max, every))

    def _draw_legend(self, handles: list[Any]) -> None:
        names = [shown_name(label) for label, _ in self.curves[:_NAMED]]
        if more := len(self.curves) - len(names):
            from matplotlib.lines import Line2D

            handles.append(Line2D([], [], color="0.6", linewidth=0.5))
            names.append(f"{more} more")
        many = len(names) > 8
        legend = self.axis.legend(
            handles,
            ["name"] * len(names),
            frameon=False,
            fontsize=8,
            loc="center left" if many else "best",
            bbox_to_anchor=(1.0, 0.5) if many else None,
        )
        # Set afterwards, because matplotlib leaves out names that begin with "_" and
        # takes what stands between two "$" for a formula.
        for text, name in zip(legend.get_texts(), names, strict=True):
            text.set_parse_math(False)
            text.set_text(name)

    def _title(self) -> str:
        """The name that all outputs of a panel share ("accuracy"), or the panel's own."""
        names = {curve.name for _, curve in self.curves}
        return names.pop() if self.panel == "outputs" and len(names) == 1 else self.panel
