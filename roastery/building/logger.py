"""The logger "roastery": what the Python API says, which has no log of its own."""

from __future__ import annotations

import logging

from ir.printable import printable
from runtime.logging import CaffeLog, LogRecord, Severity

from .report import BuildReport

LOGGER = logging.getLogger("roastery")

_LEVELS = {Severity.INFO: logging.INFO, Severity.WARNING: logging.WARNING}


class _ToLogger:
    """Hands lines of a log to the logger."""

    def handle(self, record: LogRecord) -> None:
        LOGGER.log(_LEVELS.get(record.severity, logging.ERROR), "%s", printable(record.text))

    def close(self) -> None:
        """There is nothing to close."""


def logger_log() -> CaffeLog:
    """A log whose lines go to the logger."""
    return CaffeLog([_ToLogger()])


def logger_report() -> BuildReport:
    """Tells the logger what was ignored, changed or assumed while a net is built."""
    log = logger_log()
    return BuildReport(log.note, log.warning)
