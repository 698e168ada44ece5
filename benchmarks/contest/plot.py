"""The ratios of a contest as bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from roastery.files.atomic_file import atomic_path

from .report import NAMES
from .rounds import Bout


def draw(bouts: Sequence[Bout], file: Path) -> None:
    """Write a picture: how many times as fast as each of the others Roastery is, case by case."""
    cases = [f"{b.net} b{b.batch}{' train' if b.trains else ''} t{b.threads}" for b in bouts]
    others = [name for name in NAMES[1:] if any(bout.ratio(name) for bout in bouts)]
    draw_ratios(cases, {name: [bout.ratio(name) for bout in bouts] for name in others}, file)


def draw_ratios(
    cases: Sequence[str], ratios: Mapping[str, Sequence[float | None]], file: Path
) -> None:
    """Write a picture: a group of bars for each case, a bar in it for each of the others. The
    file's ending says of which kind."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(max(6, 0.45 * len(cases)), 4.5))
    width = 0.8 / max(1, len(ratios))
    for number, (name, found) in enumerate(ratios.items()):
        places = [place + width * (number - (len(ratios) - 1) / 2) for place in range(len(cases))]
        axes.bar(places, [ratio or 0 for ratio in found], width, label=name)
    axes.axhline(1.0, color="black", linewidth=0.8)
    axes.set_xticks(range(len(cases)), cases, rotation=60, ha="right", fontsize=7)
    axes.set_ylabel("their time / Roastery's")
    axes.legend(fontsize=8)
    figure.tight_layout()
    with atomic_path(file) as partial:
        figure.savefig(partial, dpi=150, format=file.suffix.removeprefix("."))
