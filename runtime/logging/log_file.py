"""The log in a file of its own (``--log_file FILE``): all lines, whatever glog's flags say."""

from __future__ import annotations

import threading
from pathlib import Path

from ir.errors import RoasteryError

from .descriptors import AppendedLines
from .glog import format_line
from .records import LogRecord


class LogFileHandler:
    """Appends records to a file, as glog's lines.

    A run that goes on from a snapshot so goes on in the same file, and no log is lost.

    Raises RoasteryError if the file cannot be opened.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = path
        try:
            self._lines = AppendedLines(path, append=True)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise RoasteryError(f"cannot write the log file '{path}': {reason}") from None
        self._lock = threading.Lock()

    def __str__(self) -> str:
        return f"'{self._path}'"

    def handle(self, record: LogRecord) -> None:
        """Add one record. Raises OSError if it cannot be written."""
        self.line(format_line(record))

    def line(self, text: str) -> None:
        """Add a line that is no record. Raises OSError."""
        with self._lock:
            self._lines.write(text + "\n")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._lines.close()
