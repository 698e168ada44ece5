"""The ratios of a contest as bars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .report import NAMES
from .rounds import Bout


def draw(bouts: Sequence[Bout], file: Path) -> None:
    """Write a picture: how many times as fast as each of the others Roastery is, case by case."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    cases = [f"{b.net} b{b.batch}{' train' if b.trains else ''} t{b.threads}" for b in bouts]
    others = [name for name in NAMES[1:] if any(bout.ratio(name) for bout in bouts)]
    figure, axes = pyplot.subplots(figsize=(max(6, 0.45 * len(cases)), 4.5))
    width = 0.8 / max(1, len(others))
    for number, name in enumerate(others):
        places = [place + width * (number - (len(others) - 1) / 2) for place in range(len(cases))]
        axes.bar(places, [bout.ratio(name) or 0 for bout in bouts], width, label=name)
    axes.axhline(1.0, color="black", linewidth=0.8)
    axes.set_xticks(range(len(cases)), cases, rotation=60, ha="right", fontsize=7)
    axes.set_ylabel("their time / Roastery's")
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(file, dpi=150)
