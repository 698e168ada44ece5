"""Turning Python 2 on, for the rest of a program or for a block of it."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import warnings
from collections.abc import Iterator
from importlib.machinery import PathFinder

from .dropped.registry import offer_dropped
from .importer import Python2Finder
from .names.room import TOLD
from .report import Report
from .rewrite.converter import check_installed
from .running import give_runpy_back, take_over_runpy

#: Said to children: that they run Python 2, and where the report goes.
VARIABLE = "ROASTERY_PY2"
REPORT_VARIABLE = "ROASTERY_PY2_REPORT"


@contextlib.contextmanager
def python2(report_path: str = "", folder: str = "", *, child: bool = False) -> Iterator[Report]:
    """In the block a user's modules are Python 2.

    Args:
        report_path: where the changes are told (:class:`roastery.python2.report.Report`).
        folder: the script's own, whose modules are the user's.
        child: another process has begun the report.

    Raises RoasteryError where fissix is missing, or the report cannot be written.
    """
    check_installed()
    if os.environ.get(VARIABLE) and not report_path:
        report_path, child = os.environ.get(REPORT_VARIABLE, ""), True
    report = Report(report_path, fresh=not child)
    finder = Python2Finder(report)
    finder.own(folder or os.getcwd())
    before = {name: os.environ.get(name) for name in (VARIABLE, REPORT_VARIABLE)}
    os.environ[VARIABLE] = "1"
    os.environ[REPORT_VARIABLE] = report.path
    # Behind what says which module caffe is, before what reads files.
    paths = [at for at, each in enumerate(sys.meta_path) if each is PathFinder]
    sys.meta_path.insert(paths[0] if paths else len(sys.meta_path), finder)
    dropped = offer_dropped()
    take_over_runpy(report)
    TOLD.append(report)
    try:
        with warnings.catch_warnings():
            # As Python 2.7 did: what will be gone one day is nothing to a script that is older.
            for kind in (DeprecationWarning, FutureWarning, PendingDeprecationWarning):
                warnings.simplefilter("ignore", kind)
            yield report
    finally:
        TOLD.remove(report)
        give_runpy_back()
        dropped.close()
        sys.meta_path.remove(finder)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def start_in_child() -> bool:
    """In a process that a script of Python 2 has started: go on with it. False: it is none."""
    if not os.environ.get(VARIABLE):
        return False
    stack = contextlib.ExitStack()
    stack.enter_context(python2(os.environ.get(REPORT_VARIABLE, ""), child=True))
    atexit.register(stack.close)
    return True
