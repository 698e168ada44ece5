"""The log of a tool: what it says goes to standard error, in the form of Caffe's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def tool_log() -> Iterator[None]:
    """While the block runs, remarks about data are shown as log lines."""
    from runtime.logging import CaffeLog

    from ..data_notes import data_notes

    with CaffeLog.open() as log, data_notes(log):
        yield
