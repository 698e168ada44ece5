"""The commands import nothing from the working directory.

Python puts it first on its path for ``python -m``, and again for every empty entry of PYTHONPATH,
which ``PYTHONPATH=/lib:$PYTHONPATH`` leaves easily. In a folder that came from elsewhere, a module
there would stand in for one of ours. It stays where PYTHONPATH names it, and in a checkout.
"""

from __future__ import annotations

import os
import sys

_HOME = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
_LIBRARY = os.path.dirname(os.path.abspath(os.__file__))

_taken: list[int] = []
"""Where PYTHONPATH had put it: how many other folders stand before."""


def take_working_folder_off() -> None:
    """Take the working directory off Python's path, unless somebody chose it."""
    try:
        here = os.getcwd()
    except OSError:  # it has been removed
        return
    if here in (_HOME, _LIBRARY) or here in _chosen():
        return
    kept: list[str] = []
    for i, folder in enumerate(sys.path):
        if folder not in (here, "", "."):
            kept.append(folder)
        elif i or sys.flags.safe_path:  # else it is the program's folder
            _taken.append(len(kept))
    sys.path[:] = kept


def put_working_folder_back() -> None:
    """For a script of the user's, which finds what it would under ``python``."""
    for count in reversed(_taken):
        sys.path.insert(count, os.getcwd())
    _taken.clear()


def _chosen() -> list[str]:
    """The folders that PYTHONPATH names, but for an empty entry or a dot."""
    entries = "" if sys.flags.ignore_environment else os.environ.get("PYTHONPATH", "")
    return [
        os.path.abspath(entry)
        for entry in entries.split(os.pathsep)
        if os.path.normpath(entry) != os.curdir
    ]
