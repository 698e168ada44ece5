"""Panels of curves, drawn with matplotlib."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

from ir.errors import RoasteryError

from ...files.atomic_file import atomic_write
from .curves import Panels
from .look import Look, shown_name
from .panel import DrawnPanel


def draw(named: Mapping[str, Panels], look: Look, output: Path) -> None:
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
            DrawnPanel(axis, panel, named, look).draw()
        axes[-1].set_xlabel(look.x)
        if look.log_x:
            axes[-1].set_xscale("symlog", linthresh=1)  # iteration 0 has its place, too
            axes[-1].set_xlim(left=0)
        if look.title:
            figure.suptitle(shown_name(look.title), parse_math=False)
        figure.savefig(file, format=kind[1:], metadata=metadata)
