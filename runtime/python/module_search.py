"""Where Python would find a module, without running any of it.

``importlib.util.find_spec`` imports the packages that a dotted name lies in. Here each part of a
name is only looked up in the folders of the part before.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path


def working_folder() -> str:
    """The working directory; empty where it has been removed."""
    try:
        return os.getcwd()
    except OSError:
        return ""


_STARTED_IN = working_folder()


def find_file(name: str, folders: Sequence[str]) -> str | None:
    """The file that ``import name`` would run last if ``folders`` were Python's path.

    A package without ``__init__.py`` is given as its folder. None: there is no such module there.
    """
    file = None
    here = working_folder()
    path = [os.path.normpath(os.path.join(here, f)) for f in folders if f or here]
    for part in name.split("."):
        found = PathFinder.find_spec(part, path)
        if found is None:
            return None
        path = list(found.submodule_search_locations or ())
        file = _file(found)
    return file


def find_installed(name: str) -> str | None:
    """As :func:`find_file`, among the modules that are installed or on PYTHONPATH."""
    top, _, rest = name.partition(".")
    with only_installed():
        for finder in sys.meta_path:  # an editable install may have a finder of its own
            found = finder.find_spec(top, None)
            if found is None:
                continue
            if not rest:
                return _file(found)
            return find_file(rest, list(found.submodule_search_locations or ()))
    return None


@contextmanager
def only_installed() -> Iterator[None]:
    """Python's path without the folders that nobody chose: the working one and the script's."""
    before = list(sys.path)
    sys.path[:] = _installed(before)
    try:
        yield
    finally:
        sys.path[:] = before


class OfferedFolders:
    """Folders that this process appended to Python's path for one net's layers."""

    def __init__(self) -> None:
        self._added: set[str] = set()

    def offer(self, folders: Sequence[str]) -> None:
        """Append for good: a module may import its neighbours when it runs."""
        for folder in folders:
            if folder not in sys.path and Path(folder).is_dir():
                sys.path.append(folder)
                self._added.add(folder)

    def __contains__(self, folder: str) -> bool:
        return folder in self._added


OFFERED = OfferedFolders()


def is_pythons_own(file: str | None, name: str) -> bool:
    """Whether a module belongs to Python itself: built in, or of the standard library."""
    if file is None or not os.path.isabs(file):  # "built-in", "frozen"
        return name.partition(".")[0] in sys.stdlib_module_names
    place = Path(os.path.realpath(file))
    return any(
        place.is_relative_to(folder) and "site-packages" not in place.relative_to(folder).parts
        for folder in _library_folders()
    )


def _installed(path: Sequence[str]) -> list[str]:
    """The folders of a path that somebody chose: PYTHONPATH's, the program's own, installed ones.

    Python itself puts the script's folder or the working one first; one of these counts only where
    PYTHONPATH names it, or an installed package (which stands behind the standard library).
    """
    chosen = [] if sys.flags.ignore_environment else os.environ.get("PYTHONPATH", "").split(":")
    here = working_folder()
    named = [os.path.normpath(os.path.join(here, f)) for f in chosen if not _is_here(f)]
    library = _library_folders()
    ends = [i for i, folder in enumerate(path) if _real(folder) in library]
    automatic = _automatic_folders()
    return named + [
        folder
        for i, folder in enumerate(path)
        if not _is_here(folder)
        and folder not in OFFERED
        and (_real(folder) not in automatic or (ends and i > ends[0]))
    ]


def _is_here(folder: str) -> bool:
    """Whether an entry of a path is the working directory by another name: empty or a dot."""
    return os.path.normpath(folder) == "."


def _automatic_folders() -> set[str]:
    """Where the program lies, where it was started and where it is now."""
    program = os.path.dirname(_real(sys.argv[0])) if sys.argv else ""
    return {_real(folder) for folder in (program, _STARTED_IN, working_folder()) if folder}


def _real(path: str) -> str:
    """The path without links; as it is where the working directory has been removed."""
    try:
        return os.path.realpath(path)
    except OSError:
        return path


def _library_folders() -> set[str]:
    folders = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    return {os.path.realpath(folder) for folder in folders if folder}


def _file(spec: ModuleSpec) -> str:
    if spec.has_location and spec.origin:
        return spec.origin
    return next(iter(spec.submodule_search_locations or ()), spec.origin or spec.name)
