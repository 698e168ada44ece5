"""Tracebacks of users' scripts without the frames of what runs them."""

from __future__ import annotations

import os
import runpy
import traceback
from pathlib import Path
from types import TracebackType

from ..startup import own_names

_ROOT = Path(__file__).parents[1]
_RUNNERS = ("cli/script.py", "notebooks/printed.py", "notebooks/session.py", "python2/running.py")
_PYTHON2 = str(_ROOT / "python2") + os.sep
_SKIPPED = (*(str(_ROOT / part) for part in _RUNNERS), runpy.__file__, "<frozen runpy>")


def own_frames(trace: TracebackType | None) -> TracebackType | None:
    """A traceback from the script's first frame on, without those of imports that we look through,
    and of what a script of Python 2 calls instead of an operator or a builtin.

    ``trace`` itself is changed.
    """
    while trace is not None and trace.tb_frame.f_code.co_filename in _SKIPPED:
        trace = trace.tb_next
    while trace is not None and _is_between(trace):
        trace = trace.tb_next
    at = trace
    while at is not None:
        while at.tb_next is not None and _is_between(at.tb_next):
            at.tb_next = at.tb_next.tb_next
        at = at.tb_next
    return trace


def show_own_frames(error: BaseException) -> None:
    """Print an error as Python does, with its own frames and those of what led to it."""
    each: BaseException | None = error
    seen: set[int] = set()
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        each.__traceback__ = own_frames(each.__traceback__)
        each = each.__cause__ or each.__context__
    traceback.print_exception(type(error), error, error.__traceback__)


def _is_between(trace: TracebackType) -> bool:
    """Whether it is a frame of ours, or of Python's import below one of ours."""
    name = trace.tb_frame.f_code.co_filename
    return name in (own_names.__file__, "<frozen importlib._bootstrap>") or name.startswith(
        _PYTHON2
    )
