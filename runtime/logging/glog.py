"""Log lines in glog's classic form: ``I0210 13:39:22.381027 25210 solver.cpp:204] text``."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TextIO

from ir.printable import printable

from .descriptors import write_text
from .glog_settings import GlogSettings
from .records import LogRecord, Severity

_COLOURS = {Severity.WARNING: "33", Severity.ERROR: "31", Severity.FATAL: "31"}
_COLOURED = (
    "xterm", "linux", "cygwin", "screen", "tmux", "konsole", "rxvt", "gnome", "alacritty",
)  # fmt: skip


def format_prefix(record: LogRecord, settings: GlogSettings | None = None) -> str:
    """The part before the text, with the closing bracket and no blank after it.

    Without a year, unless it is asked for, which glog 0.6 puts first by default: Caffe's own log
    tools fail on that form.
    """
    settings = settings or GlogSettings()
    micros = round(record.timestamp * 1e6)
    clock_of = time.gmtime if settings.log_utc_time else time.localtime
    moment = clock_of(micros // 1_000_000)
    date = time.strftime("%Y%m%d" if settings.log_year_in_prefix else "%m%d", moment)
    clock = time.strftime("%H:%M:%S", moment)
    return (
        f"{record.severity.value}{date} {clock}.{micros % 1_000_000:06d} "
        f"{record.thread:5d} {record.source}]"
    )


def format_line(record: LogRecord, settings: GlogSettings | None = None) -> str:
    """The whole line (or lines), without the last line end."""
    text = "\t".join(map(printable, record.text.split("\t")))  # the times of layers hold tabs
    prefixed = settings is None or settings.log_prefix
    line = f"{format_prefix(record, settings)} {text}" if prefixed else text
    return f"{line}\n{record.body}".removesuffix("\n") if record.body else line


class GlogHandler:
    """Writes records to a stream, standard error by default, one write per record."""

    def __init__(self, stream: TextIO | None = None, settings: GlogSettings | None = None) -> None:
        self._stream = stream
        self.settings = settings
        self._lock = threading.Lock()

    def handle(self, record: LogRecord) -> None:
        """Write one record at once, so that a followed or killed run shows its last line.

        Raises OSError if nobody takes it.
        """
        settings = self.settings
        if settings is not None and not settings.on_standard_error(record.severity):
            return
        text = format_line(record, settings) + "\n"
        # Looked up late: a test or a notebook may have replaced sys.stderr since.
        stream = self._stream if self._stream is not None else sys.stderr
        if settings is not None and settings.colorlogtostderr and _shows_colours(stream):
            colour = _COLOURS.get(record.severity)
            text = f"\033[0;{colour}m{text}\033[m" if colour else text
        with self._lock:
            write_text(stream, text)

    def __str__(self) -> str:
        return "standard error" if self._stream is None else "its stream"

    def close(self) -> None:
        """Nothing is pending; the stream belongs to the caller."""


def _shows_colours(stream: TextIO) -> bool:
    """Whether it is a terminal that knows colours."""
    try:
        return stream.isatty() and os.environ.get("TERM", "").startswith(_COLOURED)
    except (ValueError, AttributeError):
        return False
