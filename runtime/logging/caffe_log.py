"""The log of a run: every family of lines, written to every handler."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from .command_lines import CommandLines
from .debug_lines import DebugLines
from .glog import GlogHandler
from .glog_files import shared_files
from .glog_settings import glog_settings
from .json_lines import JsonLinesHandler
from .log_file import LogFileHandler
from .net_lines import NetLines
from .records import Handler
from .solver_lines import SolverLines


class CaffeLog(SolverLines, NetLines, DebugLines, CommandLines):
    """Says what a run does in the words of Caffe, so that readers of its logs keep working.

    Without handlers it is silent. It closes its handlers when it is used in a ``with`` block::

        with CaffeLog.open(json_path="train.json") as log:
            log.solving("LeNet", "inv")
    """

    @classmethod
    def open(
        cls,
        stream: TextIO | None = None,
        *,
        json_path: str | Path | None = None,
        log_path: str | Path | None = None,
        goes_on: bool = True,
    ) -> CaffeLog:
        """A log to ``stream`` (standard error by default) and, if named, to files.

        What glog's flags say is heeded (:func:`runtime.logging.glog_settings.use_glog`).

        Args:
            json_path: the log as JSON; what the file held before is replaced.
            log_path: a file that all lines are added to, those too which glog's flags keep from
                ``stream``.
            goes_on: whether the run goes on when nobody reads its log any more.

        Raises RoasteryError for a file that cannot be written.
        """
        settings = glog_settings()
        handlers: list[Handler] = [GlogHandler(stream, settings)]
        if settings.writes_files:
            handlers.append(shared_files(settings))
        if log_path:
            handlers.append(LogFileHandler(log_path))
        if json_path:
            handlers.append(JsonLinesHandler(json_path))
        return cls(handlers, goes_on=goes_on)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._tell_files(error)
        self.close()

    def _tell_files(self, error: BaseException) -> None:
        """What ends the run is shown on standard error later; files must hear it now."""
        text = str(error) or type(error).__name__
        text = text if isinstance(error, KeyboardInterrupt) else f"error: {text}"
        for handler in self.handlers:
            if isinstance(handler, LogFileHandler):
                with contextlib.suppress(OSError):
                    handler.line(text)
