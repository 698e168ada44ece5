"""Training logs as two tables of text. Caffe: tools/extra/parse_log.sh."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..files.atomic_file import atomic_write
from .log_reader import LogPoint, read_log

_TEST = ("#Iters", "Seconds", "TestAccuracy", "TestLoss")
_TRAIN = ("#Iters", "Seconds", "TrainingLoss", "LearningRate")


def save_columns(log: str | Path, folder: str | Path) -> list[Path]:
    """Write ``LOG.test`` and ``LOG.train`` into a folder.

    Of each test there are the first two outputs, which usually are the accuracy and the loss; of
    each displayed iteration its loss and learning rate. A value that the log lacks is ``nan``.

    Returns:
        the files that were written.
    """
    points = read_log(log)
    written = []
    for ending, rows in ((".test", _tests(points)), (".train", _iterations(points))):
        path = Path(folder) / (Path(log).name + ending)
        with atomic_write(path, "w") as file:
            file.write(_table(rows))
        written.append(path)
    return written


def _tests(points: Sequence[LogPoint]) -> list[Sequence[str]]:
    groups: dict[int, list[LogPoint]] = {}
    for point in points:
        if point.kind == "test":
            groups.setdefault(point.group, []).append(point)
    rows: list[Sequence[str]] = [_TEST]
    for group in groups.values():
        values = [f"{point.value:g}" for point in group[:2]]
        rows.append([*_moment(group[0]), *values, *["nan"] * (2 - len(values))])
    return rows


def _iterations(points: Sequence[LogPoint]) -> list[Sequence[str]]:
    rates = {point.iteration: point.value for point in points if point.kind == "rate"}
    rows: list[Sequence[str]] = [_TRAIN]
    for point in points:
        if point.kind == "loss":
            rate = rates.get(point.iteration, point.rate)
            rows.append([*_moment(point), f"{point.value:g}", f"{rate:g}"])
    return rows


def _moment(point: LogPoint) -> tuple[str, str]:
    return str(point.iteration), f"{point.seconds:f}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    """The heading as it is, and below it columns with two blanks between them."""
    widths = [max(map(len, column)) for column in zip(*rows[1:], strict=True)]
    lines = [" ".join(rows[0])]
    for row in rows[1:]:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"
