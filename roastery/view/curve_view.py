"""Training curves in a page: those that plot_log draws, with as many points as a screen shows."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np

from ..tools.log_reader import read_log
from ..tools.plot_log.curves import collect_curves
from ..tools.plot_log.thinning import line_pieces


def curve_view(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Panels of curves: names, iterations and values; a value that is not finite is None.

    Raises RoasteryError for what is no training log.
    """
    panels = collect_curves(read_log(os.fspath(path)))
    return [
        {
            "name": panel,
            "curves": [
                {"name": label, **_points(curve.iterations, curve.values)}
                for label, curve in curves.items()
            ],
        }
        for panel, curves in panels.items()
        if curves
    ]


def _points(iterations: list[int], values: list[float]) -> dict[str, Any]:
    x, y = line_pieces(np.asarray(iterations, np.float64), np.asarray(values, np.float64))
    return {
        "x": [int(value) for value in x],
        "y": [float(f"{value:.6g}") if math.isfinite(value) else None for value in y],
    }
