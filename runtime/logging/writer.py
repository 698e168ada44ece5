"""The part that all families of log lines share: hand a record to every handler."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .records import Handler, LogRecord, Severity, Source


class LineWriter:
    """Sends each line to its handlers, in their order."""

    def __init__(self, handlers: Iterable[Handler] = ()) -> None:
        self.handlers: list[Handler] = list(handlers)

    def write(
        self,
        source: Source,
        text: str,
        event: str = "",
        values: dict[str, Any] | None = None,
        severity: Severity = Severity.INFO,
        body: str = "",
    ) -> None:
        """Log one line; see :class:`LogRecord` for the arguments."""
        if not self.handlers:
            return
        record = LogRecord(severity, source, text, event, values or {}, body=body)
        for handler in self.handlers:
            handler.handle(record)

    def close(self) -> None:
        """Close every handler."""
        for handler in self.handlers:
            handler.close()
