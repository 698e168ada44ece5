"""Tracebacks of users' scripts without the frames of what runs them."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import TracebackType

from ..startup import own_names

_ROOT = Path(__file__).parents[1]
_RUNNERS = ("cli/script.py", "notebooks/printed.py", "notebooks/session.py", "python2/running.py")
_SKIPPED = (*(str(_ROOT / part) for part in _RUNNERS), runpy.__file__, "<frozen runpy>")


def own_frames(trace: TracebackType | None) -> TracebackType | None:
    """A traceback from the script's first frame on, without those of imports that we look through.

    ``trace`` itself is changed.
    """
    while trace is not None and trace.tb_frame.f_code.co_filename in _SKIPPED:
        trace = trace.tb_next
    at = trace
    while at is not None:
        while at.tb_next is not None and _is_of_imports(at.tb_next):
            at.tb_next = at.tb_next.tb_next
        at = at.tb_next
    return trace


def _is_of_imports(trace: TracebackType) -> bool:
    return trace.tb_frame.f_code.co_filename == own_names.__file__
