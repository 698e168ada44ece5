"""Reads training logs: Caffe's own, ours, those of forks, and what ``--log_json`` writes.

The lines are described in ``runtime.logging``; this reader accepts them from anywhere, so logs that
another program wrote lines into, that were cut off, or that hold several runs are read as far as
they go. Time and memory are linear in the size of the log.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from ir.errors import RoasteryError

from ...files.missing import cannot_read
from ...files.regular_file import open_regular
from .json_lines import JsonReader
from .lines import log_lines
from .points import LogPoint, PointKind
from .text_lines import TextReader

__all__ = ["PointKind", "LogPoint", "read_log"]


def read_log(path: str | Path) -> list[LogPoint]:
    """All numbers of a training log, in the order of their lines.

    Raises:
        RoasteryError: the file can't be read, or no line has glog's form or that of a JSON log.
    """
    points: list[LogPoint] = []
    try:
        with open_regular(path) as file:
            groups = itertools.count()
            text = TextReader(path, os.fstat(file.fileno()).st_mtime, groups, points.append)
            objects = JsonReader(path, groups, points.append)
            for number, line in log_lines(file, path):
                if line.startswith("{"):
                    objects.read(line, number)
                else:
                    text.read(line, number)
    except OSError as error:
        raise cannot_read("log", path, error) from error
    if not (text.dated or objects.dated):
        raise RoasteryError(
            f"'{path}' is not a training log: no line begins as glog's lines do, "
            "or is an object of a JSON log",
            hint="such lines are: I0210 13:39:22.381027 25210 solver.cpp:204] Iteration 0, ... "
            'and {"event": "train", ...}',
        )
    return points
