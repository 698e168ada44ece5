"""Training logs as CSV tables, row for row as Caffe's tools/extra/parse_log.py makes them.

Where Caffe's tool fails or loses something, this one does not: it reads glog 0.6's prefix with the
year and JSON logs, writes NaN and infinite values, a table that has a single row, outputs that only
some rows have, every test of several test nets (the column TestNet says of which), and all values
of an output that has several (the columns ``name[0]``, ``name[1]``, ...).
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ir.errors import RoasteryError
from ir.printable import printable

from ..files.atomic_file import atomic_write
from ..files.missing import no_folder
from .log_reader import LogPoint, read_log

#: One line of a table: column name -> value. The first three columns are always there.
Row = dict[str, Any]

_HEAD = ("NumIters", "Seconds", "LearningRate", "TestNet")
#: A table of more cells that fills fewer than one in so many is written in long form.
_MANY_CELLS, _SPARSE = 2_000_000, 20


@dataclass(frozen=True, slots=True)
class ParsedLog:
    """The tables of one log: outputs of the train net, and of the test nets."""

    train: list[Row]
    test: list[Row]


def parse_log(path: str | Path) -> ParsedLog:
    """Read a log into rows of NumIters, Seconds, LearningRate and one column per output value.

    Rows of the test table have a TestNet too where there is more than one test net.
    """
    points = read_log(path)
    return ParsedLog(
        _rows(point for point in points if point.kind == "train"),
        _rows(point for point in points if point.kind == "test"),
    )


def write_csv(path: str | Path, rows: Sequence[Row], delimiter: str = ",") -> None:
    """Write rows with CRLF line ends; the columns are in the order of their first appearance.

    A table that would be nearly empty, because a log names other outputs all the time, would be far
    larger than the log. It is written in long form instead: one value a line, with the columns
    Output and Value.
    """
    if len(delimiter) != 1 or delimiter in '\r\n"':
        raise RoasteryError(f"the delimiter must be one character, and it is {delimiter!r}")
    if not Path(path).parent.is_dir():
        raise no_folder(path, Path(path).parent)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    cells = len(rows) * len(columns)
    if cells > _MANY_CELLS and cells > _SPARSE * sum(map(len, rows)):
        rows, columns = _long_form(rows)
    # Names that are no text are written as the bytes they were.
    with atomic_write(path, "w", newline="", errors="surrogateescape") as file:
        writer = csv.DictWriter(file, columns, delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def _long_form(rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    long: list[Row] = []
    for row in rows:
        head = {name: row[name] for name in _HEAD if name in row}
        long += [
            {**head, "Output": name, "Value": value}
            for name, value in row.items()
            if name not in head
        ]
    columns = [name for name in _HEAD if name in rows[0]]
    return long, [*columns, "Output", "Value"]


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
    """A row for outputs that were shown together, with the time and rate of the first of them."""
    points = list(points)
    columns = _columns(points)
    several_nets = len({point.net for point in points}) > 1
    rows: dict[int, Row] = {}
    for point in points:
        row = rows.get(point.group)
        if row is None:
            row = rows[point.group] = {
                "NumIters": float(point.iteration),
                "Seconds": point.seconds,
                "LearningRate": point.rate,
            }
            if several_nets:
                row["TestNet"] = point.net
        row[columns[point.name, point.element]] = point.value
    table = list(rows.values())
    _fill_first_rates(table)
    return table


def _columns(points: Sequence[LogPoint]) -> dict[tuple[str, int], str]:
    """(name, element) -> column: the name alone for outputs of one value."""
    several = {point.name for point in points if point.element}
    columns: dict[tuple[str, int], str] = {}
    taken = set(_HEAD)
    for key in dict.fromkeys((point.name, point.element) for point in points):
        name, element = key
        column = f"{_shown(name)}[{element}]" if name in several else _shown(name)
        while column in taken:
            column += "_"
        taken.add(column)
        columns[key] = column
    return columns


def _shown(name: str) -> str:
    """A name as text logs show it; bytes that are no text stay as they are."""
    if name.isprintable():
        return name
    return "".join(c if "\udc80" <= c <= "\udcff" else printable(c) for c in name)


def _fill_first_rates(rows: Sequence[Row]) -> None:
    """The first rows come before the first rate is shown, and get that one."""
    known = (row["LearningRate"] for row in rows if not math.isnan(row["LearningRate"]))
    first = next(known, math.nan)
    for row in rows:
        if not math.isnan(row["LearningRate"]):
            break
        row["LearningRate"] = first
