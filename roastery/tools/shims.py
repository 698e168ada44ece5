"""Small programs under the names of Caffe's, where its recipes look for them.

Each is a script that runs Roastery by the name that it was called by.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from ir.errors import RoasteryError

from ..files.atomic_file import atomic_write
from ..files.missing import missing
from ..files.new_mode import new_mode
from ..linking.link import is_linked, link, unlink
from .caffe_programs import EXAMPLES, SCRIPTS, SHELL_SCRIPTS, TOOLS

_MARK = "made by `roastery shims`"
_LONGEST = 120  # of what may stand in a script's first line
_LINK = ".build_release"
_MODULE = "python/caffe"
"""For scripts that put Caffe's own folder on Python's path, and run under this Python."""
_STARTER = Path(__file__).parent.parent / "startup" / "as_program.py"


def lay_out_shims(folder: str | os.PathLike[str]) -> tuple[list[str], list[str]]:
    """Make all of them below ``folder``.

    Returns:
        the names of those that were made, and of scripts that were there and stay.

    Raises RoasteryError, before anything is made, where a program of somebody else's is in the way
    or the folder is not there.
    """
    root = _folder(folder)
    programs = [f"build/{name}{ending}" for name in _programs() for ending in ("", ".bin")]
    there = [name for name in programs if os.path.lexists(root / name)]
    strangers = [name for name in there if not _ours(root / name)]
    if strangers:
        raise RoasteryError(
            f"'{root / strangers[0]}' is there already, and `roastery shims` has not made it",
            hint="name another folder, or move that build away",
        )
    kept = [
        name
        for name in (*SCRIPTS, *SHELL_SCRIPTS)
        if os.path.lexists(root / name) and not _ours(root / name)
    ]
    made = []
    for name in [*programs, *SHELL_SCRIPTS, *SCRIPTS]:
        if name not in kept:
            _write(root / name, _text(Path(name).name))
            made.append(name)
    if not os.path.lexists(root / _LINK):
        os.symlink("build", root / _LINK)
    if _is_free(root / _MODULE):
        link(root / "python", hide=True)
        made.append(_MODULE)
    else:
        kept.append(_MODULE)
    return made, kept


def take_shims_away(folder: str | os.PathLike[str]) -> list[str]:
    """Remove what :func:`lay_out_shims` has made, and folders that are empty then; the names."""
    root = _folder(folder)
    removed = []
    if is_linked(root / _MODULE):
        unlink(root / "python")
        removed.append(_MODULE)
    names = [f"build/{name}{ending}" for name in _programs() for ending in ("", ".bin")]
    for name in (*names, *SCRIPTS, *SHELL_SCRIPTS):
        if _ours(root / name):
            os.unlink(root / name)
            removed.append(name)
    if removed and os.path.islink(root / _LINK) and os.readlink(root / _LINK) == "build":
        os.unlink(root / _LINK)
        removed.append(_LINK)
    for name in removed:
        for parent in Path(name).parents[:-1]:
            try:
                os.rmdir(root / parent)
            except OSError:
                break
    return removed


def _is_free(module: Path) -> bool:
    """Whether nothing of somebody else's is there."""
    return not os.path.lexists(module) or is_linked(module)


def _programs() -> list[str]:
    return [f"tools/{name}" for name in TOOLS] + [f"examples/{name}" for name in EXAMPLES]


def _folder(folder: str | os.PathLike[str]) -> Path:
    root = Path(folder)
    if not root.exists():
        raise missing("folder", folder)
    if not root.is_dir():
        raise RoasteryError(f"'{root}' is no folder")
    return root


def _ours(path: Path) -> bool:
    try:
        if path.is_symlink() or not path.is_file():
            return False
        with path.open("rb") as file:
            return _MARK.encode() in file.read(200)
    except OSError:
        return False


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, "w") as file:
        file.write(text)
    os.chmod(path, new_mode(0o777))


def _text(name: str) -> str:
    """A program that runs Roastery as ``name``, however it is called itself."""
    words = [sys.executable, str(_STARTER), name]
    if not name.endswith(".py"):
        return (
            "#!/bin/sh\n"
            f"# A program of Caffe's, as Roastery runs it: {_MARK}.\n"
            f'exec {shlex.join(words)} "$0" "$@"\n'
        )
    # For any Python, an old one too: the one that has Roastery takes its place.
    plain = len(sys.executable) < _LONGEST and not any(map(str.isspace, sys.executable))
    return (
        f"#!{sys.executable if plain else '/usr/bin/env python3'}\n"
        f"# A script of Caffe's, as Roastery runs it: {_MARK}.\n"
        "import os\n"
        "import sys\n"
        "\n"
        f"WORDS = {words!r}\n"
        "os.execv(WORDS[0], WORDS + sys.argv)\n"
    )
