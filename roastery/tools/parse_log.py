"""Training logs as CSV tables, row for row as Caffe's tools/extra/parse_log.py makes them.

Where Caffe's tool fails or loses something, this one does not: it reads glog 0.6's prefix with the
year, writes NaN and infinite values, a table that has a single row, and outputs that only some
rows have.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ir.errors import RoasteryError

from .log_reader import LogPoint, read_log

#: One line of a table: column name -> value. The first three columns are always there.
Row = dict[str, float]


@dataclass(frozen=True, slots=True)
class ParsedLog:
    """The tables of one log: outputs of the train net, and of the test nets."""

    train: list[Row]
    test: list[Row]


def parse_log(path: str | Path) -> ParsedLog:
    """Read a log into rows of NumIters, Seconds, LearningRate and one column per output."""
    points = read_log(path)
    return ParsedLog(
        _rows(point for point in points if point.kind == "train"),
        _rows(point for point in points if point.kind == "test"),
    )


def write_csv(path: str | Path, rows: Sequence[Row], delimiter: str = ",") -> None:
    """Write rows with CRLF line ends; the columns are in the order of their first appearance."""
    if len(delimiter) != 1 or delimiter in '\r\n"':
        raise RoasteryError(f"the delimiter must be one character, and it is {delimiter!r}")
    columns = list(dict.fromkeys(name for row in rows for name in row))
    try:
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise RoasteryError(f"cannot write '{path}': {error.strerror or error}") from error


def save_csv_files(
    log_path: str | Path, output_dir: str | Path, parsed: ParsedLog, delimiter: str = ","
) -> list[Path]:
    """Write ``LOG.train`` and ``LOG.test`` into ``output_dir``; empty tables are not written.

    Returns:
        the files that were written.
    """
    written = []
    for suffix, rows in ((".train", parsed.train), (".test", parsed.test)):
        if rows:
            path = Path(output_dir) / (Path(log_path).name + suffix)
            write_csv(path, rows, delimiter)
            written.append(path)
    return written


def _rows(points: Iterable[LogPoint]) -> list[Row]:
    """Collect outputs into rows by Caffe's rule: a row ends when it has as many columns as the
    first, or when the iteration changes."""
    rows: list[Row] = []
    row: Row | None = None
    for point in points:
        if row is None or row["NumIters"] != point.iteration:
            if row is not None:
                rows.append(row)
            row = {
                "NumIters": float(point.iteration),
                "Seconds": point.seconds,
                "LearningRate": point.rate,
            }
        row[point.name] = point.value
        if rows and len(row) == len(rows[0]):
            rows.append(row)
            row = None
    if row is not None and not rows:
        rows.append(row)
    if len(rows) > 1:
        # The first row comes before the first rate is shown.
        rows[0]["LearningRate"] = rows[1]["LearningRate"]
    return rows
