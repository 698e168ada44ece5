"""The objects that ``--log_json`` writes; see ``runtime.logging.json_lines``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ir.printable import printable

from .lines import LOGGER
from .points import LogPoint, PointKind
from .values import parse_value

_MOST_ITERATIONS = 10**18


class JsonReader:
    """Takes the lines of a log one by one, and hands on their numbers."""

    def __init__(
        self, path: str | Path, groups: Iterator[int], add: Callable[[LogPoint], None]
    ) -> None:
        """
        Args:
            path: the log, for warnings.
            groups: numbers for outputs that are shown together.
            add: takes each number.
        """
        self._path = printable(str(path))
        self._groups = groups
        self._add = add
        self._rate = float("nan")
        self._start: float | None = None
        self._last = 0.0
        self._before = 0.0
        self.dated = False
        """Whether a line was an object of a log."""

    def read(self, line: str, number: int) -> None:
        """Take line ``number``."""
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            # Not JSON: the last line of a run that was killed, or another program's.
            if '"event"' in line:
                what = "%s:%d: passed over an object that is cut off or damaged"
                LOGGER.warning(what, self._path, number)
            return
        if not isinstance(entry, dict) or not isinstance(entry.get("event"), str):
            return
        self.dated = True
        event = entry["event"]
        seconds = self._seconds(event, _number(entry.get("seconds")))
        iteration = _iteration(entry.get("iteration"))
        if iteration is None:
            if event in ("train", "test", "learning_rate", "final"):
                what = "%s:%d: passed over an object '%s' without a valid iteration"
                LOGGER.warning(what, self._path, number, printable(event))
            return
        at = (iteration, seconds)
        loss, rate = _number(entry.get("loss")), _number(entry.get("lr"))
        if event in ("train", "final") and loss is not None:
            self._add(LogPoint("loss", "loss", loss, *at, self._rate))
        if event in ("train", "test"):
            net = _iteration(entry.get("net", 0)) or 0
            self._outputs("train" if event == "train" else "test", entry, at, net)
        if event in ("train", "learning_rate") and rate is not None:
            self._rate = rate
            self._add(LogPoint("rate", "lr", rate, *at, rate))

    def _seconds(self, event: str, seconds: float | None) -> float:
        """Seconds since the first "solving", over all runs that are in the file.

        Objects hold seconds since the start of their run; where they fall, another run begins.
        """
        if seconds is None:
            seconds = self._last
        if seconds < self._last:
            self._before += self._last
        self._last = seconds
        total = self._before + seconds
        if event == "solving" and self._start is None:
            self._start = total
        return round(total - (self._start or 0.0), 6)

    def _outputs(
        self, kind: PointKind, entry: dict[str, Any], at: tuple[int, float], net: int
    ) -> None:
        outputs = entry.get("outputs")
        if not isinstance(outputs, dict):
            return
        group = next(self._groups)
        for name, values in outputs.items():
            # The log does not say which outputs have a weight in the loss.
            in_loss = "loss" in name.lower()
            for element, item in enumerate(values if isinstance(values, list) else [values]):
                value = _number(item)
                if value is not None:
                    self._add(
                        LogPoint(kind, name, value, *at, self._rate, net, in_loss, group, element)
                    )


def _number(value: object) -> float | None:
    """A JSON number, or one of the words for numbers that JSON lacks."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return float("inf") if value > 0 else float("-inf")
    return parse_value(value) if isinstance(value, str) else None


def _iteration(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _MOST_ITERATIONS:
        return value
    return None
