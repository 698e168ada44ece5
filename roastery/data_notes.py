"""What data sources say, brought into the log of a run."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from runtime.data.notes import LOGGER
from runtime.logging import CaffeLog, Severity, Source

#: Caffe's line numbers of the remarks that its log readers know, by their first words.
_LINES = {
    ("db_lmdb.cpp", "Opened"): 35,
    ("db_leveldb.cpp", "Opened"): 18,
    ("data_layer.cpp", "output"): 45,
    ("data_layer.cpp", "Restarting"): 73,
    ("image_data_layer.cpp", "Opening"): 36,
    ("image_data_layer.cpp", "Shuffling"): 49,
    ("image_data_layer.cpp", "A"): 57,
    ("image_data_layer.cpp", "output"): 90,
    ("image_data_layer.cpp", "Restarting"): 151,
    ("data_transformer.cpp", "Loading"): 22,
    ("hdf5_data_layer.cpp", "Loading"): 77,
    ("hdf5_data_layer.cpp", "Number"): 93,
}

_SEVERITIES = {logging.WARNING: Severity.WARNING, logging.ERROR: Severity.ERROR}


@dataclass(frozen=True, slots=True)
class DataNote:
    """One remark: its text, and the file of Caffe that says the same."""

    text: str
    origin: str
    level: int = logging.INFO

    def write(self, log: CaffeLog) -> None:
        line = _LINES.get((self.origin, self.text.partition(" ")[0]), 0)
        severity = _SEVERITIES.get(self.level, Severity.INFO)
        log.write(Source(self.origin, line), self.text, severity=severity)


class _Sink(logging.Handler):
    """Hands remarks to the log, or keeps them while someone collects them."""

    def __init__(self, log: CaffeLog) -> None:
        super().__init__(logging.INFO)
        self.log = log
        self.collected: list[DataNote] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        origin = getattr(record, "origin", "roastery")
        note = DataNote(record.getMessage(), origin, record.levelno)
        if self.collected is not None:
            self.collected.append(note)
        else:
            note.write(self.log)


@contextlib.contextmanager
def data_notes(log: CaffeLog) -> Iterator[None]:
    """While the block runs, remarks of data sources go to ``log``."""
    sink = _Sink(log)
    before = LOGGER.level, LOGGER.propagate
    LOGGER.addHandler(sink)
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False
    try:
        yield
    finally:
        LOGGER.removeHandler(sink)
        LOGGER.level, LOGGER.propagate = before


@contextlib.contextmanager
def collected_notes() -> Iterator[list[DataNote]]:
    """Keep the remarks of a block back, to be written in their place."""
    notes: list[DataNote] = []
    sinks = [handler for handler in LOGGER.handlers if isinstance(handler, _Sink)]
    before = [sink.collected for sink in sinks]
    for sink in sinks:
        sink.collected = notes
    try:
        yield notes
    finally:
        for sink, old in zip(sinks, before, strict=True):
            sink.collected = old
