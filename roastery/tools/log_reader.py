"""Reads training logs: Caffe's own, ours, and glog 0.6's form with the year.

The lines are described in ``runtime.logging``; this reader accepts them from anywhere, so logs that
another program wrote lines into, or that were cut off, are read as far as they go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from ir.errors import RoasteryError

Kind = Literal["train", "test", "loss", "rate"]

_STAMP = re.compile(r"(?<!\S)[IWEF](\d{4}|\d{8})\s+(\d\d):(\d\d):(\d\d)\.(\d{1,6})(?!\d)")
_ITERATION = re.compile(r"Iteration (\d+)")
_VALUE = r"([-+]?(?:nan|inf)\b|[.\deE+-]+)"
_OUTPUT = re.compile(rf"(Train|Test) net output #(\d+): (\S+) = {_VALUE}(?: (\(\* .*loss\)))?")
_TESTING = re.compile(r"Testing net \(#(\d+)\)")
_SMOOTHED = re.compile(rf"Iteration \d+(?: \(.*iters\))?, loss = {_VALUE}")
_RATE = re.compile(r"lr = ([-+]?[0-9]*\.?[0-9]+(?:[eE]?[-+]?[0-9]+)?)")


@dataclass(frozen=True, slots=True)
class LogPoint:
    """One number of a log.

    Attributes:
        kind: an output of the train net or a test net, the displayed (averaged) loss, or the
            learning rate.
        name: of the output; "loss" and "lr" otherwise.
        seconds: since the line "Solving ...".
        rate: the learning rate last shown; NaN before the first.
        net: the number of the test net.
        in_loss: the output has a loss weight.
    """

    kind: Kind
    name: str
    value: float
    iteration: int
    seconds: float
    rate: float
    net: int = 0
    in_loss: bool = False


def read_log(path: str | Path) -> list[LogPoint]:
    """All numbers of a training log, in the order of their lines.

    Raises:
        RoasteryError: the file can't be read, or no line has glog's form.
    """
    path = Path(path)
    try:
        year = datetime.fromtimestamp(path.stat().st_mtime).year
        with path.open(encoding="utf-8", errors="replace") as file:
            return list(_Reader(path, year).read(file))
    except OSError as error:
        raise RoasteryError(f"cannot read the log '{path}': {error.strerror or error}") from error


class _Clock:
    """Turns prefixes into seconds; the classic prefix has no year, so a new year must be seen."""

    def __init__(self, year: int) -> None:
        self._year = year
        self._last: datetime | None = None
        self._start: datetime | None = None

    def seconds(self, line: str) -> float | None:
        """Seconds since the start, or None for a line without a valid prefix."""
        stamp = _STAMP.search(line)
        if stamp is None:
            return None
        date, hour, minute, second, micros = stamp.groups()
        year = int(date[:4]) if len(date) == 8 else self._year
        month, day = int(date[-4:-2]), int(date[-2:])
        if len(date) == 4 and self._last is not None and month < self._last.month:
            self._year = year = self._year + 1
        if (month, day) == (2, 29) and len(date) == 4:
            year -= year % 4  # the guessed year may have no such day; any leap year serves
        try:
            now = datetime(year, month, day, int(hour), int(minute), int(second), int(micros))
        except ValueError:
            return None
        self._last = now
        self._start = self._start or now
        return (now - self._start).total_seconds()

    def restart(self) -> None:
        """Count from the next line on."""
        self._start = None


class _Reader:
    def __init__(self, path: Path, year: int) -> None:
        self._path = path
        self._clock = _Clock(year)
        self._iteration = -1
        self._rate = float("nan")
        self._net = 0
        self._solving = False

    def read(self, lines: Iterable[str]) -> Iterator[LogPoint]:
        dated = False
        for line in lines:
            if "Solving" in line and not self._solving and _STAMP.search(line):
                self._solving = True
                self._clock.restart()
            if match := _ITERATION.search(line):
                self._iteration = int(match[1])
            seconds = self._clock.seconds(line)
            if seconds is None:
                continue
            dated = True
            if self._iteration >= 0:
                yield from self._points(line, seconds)
        if not dated:
            raise RoasteryError(
                f"'{self._path}' is not a training log: no line begins as glog's lines do",
                hint="such a line is: I0210 13:39:22.381027 25210 solver.cpp:204] Iteration 0, ...",
            )

    def _points(self, line: str, seconds: float) -> Iterator[LogPoint]:
        at = (self._iteration, seconds)
        if match := _TESTING.search(line):
            self._net = int(match[1])
        if (match := _RATE.search(line)) and (rate := _number(match[1])) is not None:
            self._rate = rate
            yield LogPoint("rate", "lr", rate, *at, rate)
        if match := _OUTPUT.search(line):
            kind: Kind = "train" if match[1] == "Train" else "test"
            if (value := _number(match[4])) is not None:
                net = self._net if kind == "test" else 0
                yield LogPoint(kind, match[3], value, *at, self._rate, net, bool(match[5]))
        elif (match := _SMOOTHED.search(line)) and (value := _number(match[1])) is not None:
            yield LogPoint("loss", "loss", value, *at, self._rate)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
