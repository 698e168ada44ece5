"""What a row of the table says, and the page around the table."""

from __future__ import annotations

import os
import platform
import random
import time
from dataclasses import dataclass, field

from roastery import __version__


class Plan:
    """How long a row may go on trying.

    Attributes:
        draw: the row's random numbers.
        short: a few tries are enough, whatever the time.
    """

    def __init__(self, seconds: float, draw: random.Random, *, short: bool) -> None:
        self.draw = draw
        self.short = short
        self._end = time.monotonic() + seconds
        self._tries = 0

    def goes_on(self, least: int, most: int = 1_000_000) -> bool:
        """Whether to try again: ``least`` times at least (twice in the short form)."""
        self._tries += 1
        if self.short:
            return self._tries <= 2
        return self._tries <= least or (self._tries <= most and time.monotonic() < self._end)


@dataclass
class Row:
    """One line of the table: what was done how often, what went wrong, what was measured."""

    name: str
    tries: int = 0
    failures: list[str] = field(default_factory=list)
    measured: str = ""
    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    def expect(self, holds: bool, what: str) -> None:
        """Note a failure unless ``holds``."""
        if not holds:
            self.failures.append(what)

    def end(self, measured: str = "") -> Row:
        """The finished row."""
        self.seconds = time.monotonic() - self.started
        self.measured = measured
        return self

    def line(self) -> str:
        """The row for a terminal, with its failures below."""
        verdict = f"{len(self.failures)} FAILED" if self.failures else "ok"
        text = f"{verdict:>9}  {self.tries:5d} x {self.name} ({self.seconds:.0f} s) {self.measured}"
        return "\n".join([text, *(f"           - {failure}" for failure in self.failures[:20])])


def page(rows: list[Row], words: list[str]) -> str:
    """The table as a page for benchmarks/results."""
    command = "python -m benchmarks.torture " + " ".join(
        word for word in words if not word.startswith("--output")
    )
    lines = [
        "# Torture",
        "",
        "What `make torture` does to the commands, and what came of it. Every try is a process of",
        "its own on small data; a failure is anything lost, damaged, left over, hanging or",
        "growing, a traceback, or an exit code that is not the documented one.",
        "",
        f"Version {__version__}, {time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores of {_processor()}. Command: `{command.strip()}`",
        "",
        "| what is done | tries | failures | measured | seconds |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row.name} | {row.tries} | {len(row.failures)} | {row.measured} | "
            f"{row.seconds:.0f} |"
        )
    for row in rows:
        lines += [f"\n{row.name}: {failure}" for failure in row.failures[:5]]
    return "\n".join(lines) + "\n"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()
