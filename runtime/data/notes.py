"""What data sources tell the person who watches: through ``logging``, not print.

Each record carries ``origin``, the file of Caffe that says the same thing, so that a
log handler can print Caffe's own line prefix. The face decides what is shown.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ir.printable import printable

LOGGER = logging.getLogger("roastery.data")


_silent = ContextVar("_silent", default=False)


@contextmanager
def silence() -> Iterator[None]:
    """Say nothing inside the block: what is opened there only to look will be opened again."""
    before = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(before)


def note(message: str, origin: str, level: int = logging.INFO) -> None:
    """Log ``message``; ``origin`` is a file name such as "data_layer.cpp"."""
    if not _silent.get():
        LOGGER.log(level, "%s", printable(message), extra={"origin": origin})


def warn(message: str, origin: str) -> None:
    """Log something that is probably not what the person meant."""
    note(message, origin, logging.WARNING)
