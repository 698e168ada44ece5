"""Lets logs heed glog's flags and variables while a command runs."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from ir.printable import printable_lines


@contextlib.contextmanager
def logging_as(given: Mapping[str, Any], program: str) -> Iterator[None]:
    """In the block, logs go where the flags of glog that were ``given`` say.

    Args:
        program: the program of Caffe's that we run as; empty: ourselves.
    """
    if given or program:
        # Else what the environment says is read when a log is opened: few commands have one.
        from runtime.logging.glog_settings import from_environment, use_glog

        use_glog(from_environment(given, program))
    try:
        yield
    finally:
        settings = sys.modules.get("runtime.logging.glog_settings")
        if settings is not None:
            settings.use_glog(None)
        files = sys.modules.get("runtime.logging.glog_files")
        if files is not None:
            files.close_files()


def tell_files(message: str) -> None:
    """What ends the command, as the last line of its log's files, if it has some."""
    files = sys.modules.get("runtime.logging.glog_files")
    if files is not None:
        files.tell_fatal(printable_lines(message))


@contextlib.contextmanager
def for_scripts(given: Mapping[str, Any]) -> Iterator[None]:
    """The flags as variables of the environment, for a script and its children."""
    values = {f"GLOG_{name}": _text(value) for name, value in given.items()}
    before = {name: text for name, text in os.environ.items() if name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            os.environ.pop(name, None)
        os.environ.update(before)


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
