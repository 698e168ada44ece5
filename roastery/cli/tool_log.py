"""The log of a tool: what it says goes to standard error, in the form of Caffe's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runtime.data.notes import Notes


@contextlib.contextmanager
def tool_log() -> Iterator[Notes]:
    """Where notes of the tool go while the block runs."""
    from runtime.data.notes import to_log
    from runtime.logging import CaffeLog

    with CaffeLog.open() as log:
        yield to_log(log)
