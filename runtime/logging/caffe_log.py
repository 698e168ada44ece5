"""The log of a run: every family of lines, written to every handler."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from .command_lines import CommandLines
from .debug_lines import DebugLines
from .glog import GlogHandler
from .json_lines import JsonLinesHandler
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
    def open(cls, stream: TextIO | None = None, *, json_path: str | Path | None = None) -> CaffeLog:
        """A log to ``stream`` (standard error by default) and, if named, to a JSON file."""
        handlers: list[Handler] = [GlogHandler(stream)]
        if json_path is not None:
            handlers.append(JsonLinesHandler(json_path))
        return cls(handlers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
