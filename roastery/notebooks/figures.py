"""Figures that a cell has left open in matplotlib, if it has imported that."""

from __future__ import annotations

import sys


def close_figures() -> None:
    """Close them; notebooks draw each once."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")
