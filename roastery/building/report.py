"""What is told while a net is built."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from frontends.prototxt import Message
from frontends.prototxt.note import Note
from ir.program import NetProgram
from runtime.data.notes import DataNote, Notes, to_logger
from runtime.logging import CaffeLog

from .net_log import log_layers, log_net_text, log_rules

Say = Callable[[str], None]


class BuildReport:
    """Tells what was accepted but changed, ignored or assumed: each thing once.

    Several nets of one file have the same notes, so a run has one report.

    Attributes:
        notes: gets what data sources say.
    """

    def __init__(self, info: Say, warning: Say, notes: Notes = to_logger) -> None:
        self.notes = notes
        self._info = info
        self._warning = warning
        self._said: set[str] = set()

    @classmethod
    def silent(cls) -> BuildReport:
        """For a net that is built, or was, by another report, too."""
        return cls(_unsaid, _unsaid)

    def say(self, notes: Iterable[Note]) -> None:
        for note in notes:
            self._once(str(note), self._info if note.level == "info" else self._warning)

    def note(self, remark: str) -> None:
        self._once(remark, self._info)

    def warn(self, remark: str) -> None:
        self._once(remark, self._warning)

    def _once(self, remark: str, say: Say) -> None:
        if remark not in self._said:
            self._said.add(remark)
            say(remark)

    def choosing(self, net: Message, state: Message) -> None:
        """The layers of a state are about to be chosen."""

    def chosen(self, net: Message) -> None:
        """``net`` has the layers that are left."""

    def built(self, program: NetProgram, data: Mapping[str, Sequence[DataNote]]) -> None:
        """The net is there; ``data``: what its sources said so far, by the layers' keys."""
        for said in data.values():
            for note in said:
                self.notes(note)


class LogReport(BuildReport):
    """Also writes the lines with which Caffe builds a net."""

    def __init__(self, log: CaffeLog, notes: Notes = to_logger) -> None:
        super().__init__(log.note, log.warning, notes)
        self._log = log

    def choosing(self, net: Message, state: Message) -> None:
        log_rules(self._log, net, state)

    def chosen(self, net: Message) -> None:
        log_net_text(self._log, net)

    def built(self, program: NetProgram, data: Mapping[str, Sequence[DataNote]]) -> None:
        log_layers(self._log, program, data, self.notes)


def _unsaid(remark: str) -> None:
    """Nobody is told."""
