"""The part that all families of log lines share: hand a record to every handler."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from .records import CaffeLine, Handler, LogRecord, Severity


class LineWriter:
    """Sends each line to its handlers, in their order.

    A handler that cannot write (a closed pipe, a full disk) does not end the run: the others say
    so once, and it is tried again with the next line.

    Args:
        goes_on: False for a run whose log is all that it makes: it ends with BrokenPipeError when
            nobody reads any of it.
    """

    def __init__(self, handlers: Iterable[Handler] = (), *, goes_on: bool = True) -> None:
        self.handlers: list[Handler] = list(handlers)
        self._goes_on = goes_on
        self._lost: dict[int, int] = {}  # by handler: lines that it could not write

    def write(
        self,
        source: CaffeLine,
        text: str,
        event: str = "",
        values: dict[str, Any] | None = None,
        severity: Severity = Severity.INFO,
        body: str = "",
    ) -> None:
        """Log one line; see :class:`LogRecord` for the arguments."""
        if not self.handlers:
            return
        self._send(LogRecord(severity, source, text, event, values or {}, body=body))

    def _send(self, record: LogRecord) -> None:
        failed = []
        for handler in self.handlers:
            error = _attempt(partial(handler.handle, record))
            lost = self._lost.pop(id(handler), 0)
            if error is None and lost:
                # A handler that only keeps a record for later does not fail; this is written now.
                note = _note(f"{lost} line(s) of the log could not be written here")
                error = _attempt(partial(handler.handle, note))
            if error is not None:
                self._lost[id(handler)] = lost + 1
                if not lost:
                    failed.append((handler, error))
        for handler, error in failed:
            self._tell(handler, error)

    def _tell(self, broken: Handler, error: OSError) -> None:
        """Say on the handlers that work what no longer does; once."""
        working = [handler for handler in self.handlers if id(handler) not in self._lost]
        if not working and not self._goes_on and isinstance(error, BrokenPipeError):
            raise error
        reason = error.strerror or error
        places = " and ".join(map(str, working))
        note = _note(f"the log no longer reaches {broken} ({reason}); it goes on in {places}")
        for handler in working:
            _attempt(partial(handler.handle, note))

    def close(self) -> None:
        """Close every handler."""
        for handler in self.handlers:
            _attempt(handler.close)


def _note(text: str) -> LogRecord:
    return LogRecord(Severity.WARNING, CaffeLine("roastery", 0), text)


def _attempt(call: Callable[[], None]) -> OSError | None:
    try:
        call()
    except OSError as error:
        return error
    return None
