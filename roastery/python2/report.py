"""What was changed: a diff of each file, and the names that it uses of Python 2."""

from __future__ import annotations

import difflib
import os
import sys
from pathlib import Path

from ir.errors import RoasteryError

from .rewrite.converter import Converted
from .rewrite.offered import OFFERED

STANDARD_ERROR = "-"


class Report:
    """Tells of each file once, at the end of a file or on standard error.

    Args:
        path: the file; ``-``: standard error; empty: nothing is told.
        fresh: what the file held before is dropped; children go on with it.

    Raises RoasteryError where the file cannot be written.
    """

    def __init__(self, path: str, *, fresh: bool = True) -> None:
        self._path = path and (path if path == STANDARD_ERROR else os.path.abspath(path))
        self._told: set[str] = set()
        if fresh and self._path not in ("", STANDARD_ERROR):
            try:
                Path(self._path).write_text("")
            except OSError as error:
                raise RoasteryError(f"cannot write {path}: {error.strerror}") from error

    @property
    def path(self) -> str:
        """As a child finds it."""
        return self._path

    def __call__(self, name: str, before: str, converted: Converted) -> None:
        if not self._path or name in self._told:
            return
        self._told.add(name)
        text = changes(name, before, converted)
        if self._path == STANDARD_ERROR:
            sys.stderr.write(text)
            return
        with open(self._path, "a", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write(text)


def changes(name: str, before: str, converted: Converted) -> str:
    """A unified diff with a line of names before it; of a file that stays, a line that says so."""
    if converted.python3:
        return f"# {name}: Python 3 already\n"
    lines = [f"# {name}\n"]
    builtins = [f"{n} (line {at})" for n, at in converted.names if n in OFFERED]
    modules = [f"{n} (line {at})" for n, at in converted.names if n not in OFFERED]
    if builtins:
        lines.append(f"# offered: {', '.join(builtins)}\n")
    if modules:
        lines.append(f"# imported under a name that is gone: {', '.join(modules)}\n")
    diff = difflib.unified_diff(
        before.splitlines(keepends=True),
        converted.text.splitlines(keepends=True),
        name,
        f"{name} (Python 3)",
    )
    return "".join([*lines, *diff])
