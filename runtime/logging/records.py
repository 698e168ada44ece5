"""What a log line is before it becomes text: severity, origin, words and values."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol


class Severity(Enum):
    """glog's severities; the value is the letter that starts a line."""

    INFO = "I"
    WARNING = "W"
    ERROR = "E"
    FATAL = "F"


@dataclass(frozen=True, slots=True)
class CaffeLine:
    """The file and line that a log line names: Caffe's own, since log readers match them."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One line of the log.

    Attributes:
        text: the line without its prefix, as it is: names in it need not be fit to be printed.
        body: further lines that are (a printed net).
        event: what happened, for readers of values ("iteration", "train_output", ...);
            empty for lines that only people read.
        values: the numbers and names that ``text`` shows, unrounded.
        timestamp: seconds since the epoch.
        thread: the operating system's number of the thread that wrote the line.
    """

    severity: Severity
    source: CaffeLine
    text: str
    event: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    timestamp: float = field(default_factory=time.time)
    thread: int = field(default_factory=threading.get_native_id)
    body: str = ""


class Handler(Protocol):
    """Takes records, possibly from several threads."""

    def handle(self, record: LogRecord) -> None:
        """Do something with one record."""

    def close(self) -> None:
        """Finish what is pending; no record follows."""
