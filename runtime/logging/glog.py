"""Log lines in glog's classic form: ``I0210 13:39:22.381027 25210 solver.cpp:204] text``."""

from __future__ import annotations

import sys
import threading
import time
from typing import TextIO

from ir.printable import printable

from .descriptors import write_text
from .records import LogRecord


def format_prefix(record: LogRecord) -> str:
    """The part before the text, with the closing bracket and no blank after it.

    Without a year, which glog 0.6 puts first by default: Caffe's own log tools fail on that form.
    """
    micros = round(record.timestamp * 1e6)
    moment = time.localtime(micros // 1_000_000)
    date = time.strftime("%m%d", moment)
    clock = time.strftime("%H:%M:%S", moment)
    return (
        f"{record.severity.value}{date} {clock}.{micros % 1_000_000:06d} "
        f"{record.thread:5d} {record.source}]"
    )


def format_line(record: LogRecord) -> str:
    """The whole line (or lines), without the last line end."""
    text = "\t".join(map(printable, record.text.split("\t")))  # the times of layers hold tabs
    line = f"{format_prefix(record)} {text}"
    return f"{line}\n{record.body}".removesuffix("\n") if record.body else line


class GlogHandler:
    """Writes records to a stream, standard error by default, one write per record."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def handle(self, record: LogRecord) -> None:
        """Write one record at once, so that a followed or killed run shows its last line.

        Raises OSError if nobody takes it.
        """
        text = format_line(record) + "\n"
        # Looked up late: a test or a notebook may have replaced sys.stderr since.
        stream = self._stream if self._stream is not None else sys.stderr
        with self._lock:
            write_text(stream, text)

    def __str__(self) -> str:
        return "standard error" if self._stream is None else "its stream"

    def close(self) -> None:
        """Nothing is pending; the stream belongs to the caller."""
