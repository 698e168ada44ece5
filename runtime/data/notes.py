"""What data sources tell the person who watches: through ``logging``, not print.

Each record carries ``origin``, the file of Caffe that says the same thing, so that a
log handler can print Caffe's own line prefix. The face decides what is shown.
"""

from __future__ import annotations

import logging

LOGGER = logging.getLogger("roastery.data")


def note(message: str, origin: str, level: int = logging.INFO) -> None:
    """Log ``message``; ``origin`` is a file name such as "data_layer.cpp"."""
    LOGGER.log(level, message, extra={"origin": origin})


def warn(message: str, origin: str) -> None:
    """Log something that is probably not what the person meant."""
    note(message, origin, logging.WARNING)
