"""What data sources tell the person who watches.

A note has a kind, which stands with the source that says it: the text, how serious it is, and
the line of Caffe that says the same, since readers of logs match it. Whoever opens a source says
where its notes go.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from ir.printable import printable

from ..logging.records import CaffeLine, Severity
from ..logging.writer import LineWriter

_LOGGER = logging.getLogger("roastery.data")
_LEVELS = {Severity.INFO: logging.INFO, Severity.WARNING: logging.WARNING}


@dataclass(frozen=True, slots=True)
class NoteKind:
    """One thing that can be said: ``OPENED(path="db")`` says it.

    Attributes:
        file, line: where Caffe says the same; line 0: Caffe says nothing like it.
        text: with the names of its values in braces.
        from_constructor: said by Caffe while the layer is made, before the net names it.
    """

    file: str
    text: str
    line: int = 0
    severity: Severity = Severity.INFO
    from_constructor: bool = False

    def __call__(self, **values: object) -> DataNote:
        return DataNote(self, printable(self.text.format(**values)))


@dataclass(frozen=True, slots=True)
class DataNote:
    """A note, and what it says this time."""

    kind: NoteKind
    text: str

    @property
    def source(self) -> CaffeLine:
        """The place in Caffe that a log line names."""
        return CaffeLine(self.kind.file, self.kind.line)


Notes: TypeAlias = Callable[[DataNote], None]
"""Takes notes; may be called on any thread."""


class NotesOfOpening:
    """Keeps what a source says while it is opened; what it says later goes to ``later`` at once."""

    def __init__(self, later: Notes) -> None:
        self._later = later
        self._kept: list[DataNote] = []
        self._take: Notes = self._kept.append

    def __call__(self, note: DataNote) -> None:
        self._take(note)

    def opened(self) -> list[DataNote]:
        """The source is open: what it has said so far."""
        self._take = self._later
        return self._kept


def to_logger(note: DataNote) -> None:
    """Where notes go unless somebody says else: the logger "roastery.data"."""
    _LOGGER.log(_LEVELS[note.kind.severity], "%s", note.text, extra={"origin": note.kind.file})


def to_log(log: LineWriter) -> Notes:
    """Writes notes as lines of Caffe's log."""
    return lambda note: log.write(note.source, note.text, severity=note.kind.severity)


def unheard(note: DataNote) -> None:
    """For what is opened only to be looked at: it will be opened again."""
