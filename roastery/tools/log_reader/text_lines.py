"""Lines of glog's form, with the words of Caffe and its forks.

Caffe: tools/extra/parse_log.py, tools/extra/extract_seconds.py. Every pattern is matched at few
places or reads few characters, so that a line costs time in proportion to its length.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ir.printable import printable

from .clock import Clock
from .lines import LOGGER
from .points import LogPoint, PointKind
from .values import parse_count, parse_value

# After an escaped line end it belongs to a name that was made to look like a line.
_STAMP = re.compile(
    r"(?<!\\[nr])[IWEF](\d{8}|\d{4})\s{1,8}(\d\d):(\d\d):(\d\d)\.(\d{1,6})(?!\d)(?:\s{1,8}(\d{1,20}))?",
    re.ASCII,
)
# What shows names of nets, layers, blobs and files, which may be made to look like results.
_NAMES = re.compile(
    r"\s*(?:net\.cpp|layer_factory\.hpp|db_\w+\.cpp|\w*data_\w+\.cpp|roastery):\d+\]"
    r"|\s*[\w.]+:\d+\] (?:Solving|Snapshotting|Creating|Finetuning|Resuming|snapshot_prefix) ",
    re.ASCII,
)
_STRING = re.compile(r'\s*\w+: "', re.ASCII)  # in a printed net
_ITERATION = re.compile(r"Iteration (-?\d+)", re.ASCII)
_TESTING = re.compile(r"Testing net \(#(\d{1,9})\)", re.ASCII)
_OUTPUT = re.compile(r"(Train|Test) net output #(\d{1,9}): ", re.ASCII)
_WORDS = re.compile(r"(\S+) = (\S+)")
_CUT = re.compile(r" = \S+ \(\* \S+\Z")  # a value whose weighted form is not complete
_RATE = re.compile(r"(?<!\w)lr = (\S+)")


@dataclass
class _Block:
    """Outputs that a thread shows together: its number, the last output, the values of each."""

    group: int
    iteration: int
    last: int = -1
    values: dict[str, int] = field(default_factory=dict)

    def ends_before(self, index: int, name: str) -> bool:
        """Whether an output begins a new block: its number and its name were there already."""
        return index <= self.last and name in self.values


@dataclass
class _Thread:
    """What one thread of a process has shown; several may write into one log."""

    iteration: int | None = None
    net: int = 0
    blocks: dict[PointKind, _Block] = field(default_factory=dict)


class TextReader:
    """Takes the lines of a log one by one, and hands on their numbers."""

    def __init__(
        self,
        path: str | Path,
        changed: float,
        groups: Iterator[int],
        add: Callable[[LogPoint], None],
    ) -> None:
        """
        Args:
            path: the log, for warnings.
            changed: when the log was written last, in seconds since the epoch: the classic stamp
                has no year.
            groups: numbers for outputs that are shown together.
            add: takes each number.
        """
        try:
            year = datetime.fromtimestamp(changed).year
        except (ValueError, OverflowError, OSError):
            year = 2000
        self._path = printable(str(path))
        self._clock = Clock(year)
        self._groups = groups
        self._add = add
        self._rate = float("nan")
        self._solving = False
        self._iteration: int | None = None
        self._threads: dict[str, _Thread] = {}
        self.dated = False
        """Whether a line had a valid stamp."""

    def read(self, line: str, number: int) -> None:
        """Take line ``number``.

        A run that was killed may leave a line without its end, so that the next run's first line
        follows on it: every stamp begins a part of its own.
        """
        matters = "Iteration " in line or " net output #" in line
        if not (matters or (not self.dated) or (not self._solving and "Solving" in line)):
            return
        stamp = None if _STRING.match(line) else _STAMP.search(line)
        while stamp is not None:
            begin = stamp.end()
            names = _NAMES.match(line, begin) is not None
            following = None if names else _STAMP.search(line, begin)
            text = line[begin : following.start()] if following else line[begin:]
            self._part(stamp, text, number, names)
            stamp = following

    def _part(self, stamp: re.Match[str], text: str, number: int, names: bool) -> None:
        """``names``: the part shows names, and no numbers."""
        if not self._solving and "Solving" in text:
            self._solving = True
            self._clock.restart()
        date, hour, minute, second, micros, name = stamp.groups("")
        seconds = self._clock.seconds(date, int(hour), int(minute), int(second), int(micros))
        if seconds is None:
            return
        self.dated = True
        if names:
            return
        thread = self._threads.get(name)
        if thread is None:
            thread = self._threads[name] = _Thread(self._iteration)
        if "net output #" in text and (match := _OUTPUT.search(text)):
            if thread.iteration is not None:
                self._output(thread, thread.iteration, match, text, seconds)
            return
        shown = self._see_iteration(thread, text, number) if "Iteration " in text else None
        if thread.iteration is None:
            return
        if "lr = " in text and (match := _RATE.search(text)):
            rate = parse_value(match[1])
            if rate is not None:
                self._rate = rate
                self._add(LogPoint("rate", "lr", rate, thread.iteration, seconds, rate))
        if shown is not None and (at := text.find(", loss = ", shown)) >= 0:
            value = parse_value(text[at + 9 :])
            if value is not None:
                self._add(LogPoint("loss", "loss", value, thread.iteration, seconds, self._rate))

    def _see_iteration(self, thread: _Thread, text: str, number: int) -> int | None:
        """Note the iteration that a line is about; where its number ends."""
        match = _ITERATION.search(text)
        if match is None:
            return None
        thread.iteration = self._iteration = parse_count(match[1])
        if thread.iteration is None:
            what = "%s:%d: passed over what follows an iteration of %d digits"
            LOGGER.warning(what, self._path, number, len(match[1]))
            return None
        end = match.end()
        if testing := _TESTING.search(text, end):
            thread.net = int(testing[1])
            thread.blocks.pop("test", None)
        elif text.find("loss = ", end) >= 0:
            thread.blocks.pop("train", None)
        return end

    def _output(
        self, thread: _Thread, iteration: int, match: re.Match[str], text: str, seconds: float
    ) -> None:
        named = _name_and_value(text[match.end() :])
        if named is None:
            return
        name, value, in_loss = named
        index = int(match[2])
        kind: PointKind = "train"
        net = 0
        if match[1] == "Test":
            kind, net = "test", thread.net
        block = thread.blocks.get(kind)
        if block is None or block.iteration != iteration or block.ends_before(index, name):
            block = thread.blocks[kind] = _Block(next(self._groups), iteration)
        block.last = index
        element = block.values.get(name, 0)
        block.values[name] = element + 1
        rate, group = self._rate, block.group
        self._add(
            LogPoint(kind, name, value, iteration, seconds, rate, net, in_loss, group, element)
        )


def _name_and_value(text: str) -> tuple[str, float, bool] | None:
    """``loss = 0.21 (* 1 = 0.21 loss)`` as its name, its value, and whether it has a weight.

    The end of the line counts: a name may have blanks, or be made to look like a result.
    """
    text = text.rstrip()
    in_loss = text.endswith("loss)") and " (* " in text
    head = text.rpartition(" (* ")[0] if in_loss else text
    name, _, number = head.rpartition(" = ")
    if name and number[-1:] not in (")", "]", ",", ";") and not _CUT.search(name):
        value = parse_value(number) if " " not in number else None
        if value is not None:
            return name, value, in_loss
    # Cut off, or followed by other words.
    if (match := _WORDS.match(text)) and (value := parse_value(match[2])) is not None:
        return match[1], value, in_loss
    return None
