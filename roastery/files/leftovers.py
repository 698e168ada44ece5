"""Removes what dead processes left half made, and nothing else.

Who made a folder for half made things is in its name, and a living maker holds a lock on it; see
:mod:`roastery.files.owned_folder`.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import shutil
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .process_identity import ProcessIdentity, process_runs

_OWNED = re.compile(
    r"\.(?P<of>.+)\.(?P<pid>\d{1,10})-(?P<start>\d{1,20})-(?P<where>[0-9a-f]{8})-\d+\.partial",
    re.DOTALL,
)
_OLDER = re.compile(r"\.(?P<of>.+)\.(?P<pid>\d{1,10})\.partial", re.DOTALL)
"""What versions up to 0.1 wrote into: a file or folder with the process's number."""

_NAME_BYTES = 180
"""Of a name at most so many bytes are kept: file systems take 255."""

_FOREIGN_AGE = 60.0
"""Seconds without a change after which an unlocked folder of another machine is dead: between
making a folder and locking it lies an instant."""

_UNLOCKED_AGE = 86400.0
"""The same in seconds where the file system knows no locks."""

_SCANS_SHARE = 0.05
"""The part of the time that may go into looking for leftovers in one folder."""


@dataclass(frozen=True, slots=True)
class _Scan:
    """What a look into a folder found, and when (monotonic seconds) to look again."""

    again: float
    candidates: dict[str, list[Path]]


_scans: dict[Path, _Scan] = {}


def remove_leftovers(parent: Path, of: Callable[[str], bool]) -> list[Path]:
    """Remove what dead processes left in a folder; returns what was removed.

    Args:
        of: whether the leftovers of a name are to go; asked with what :func:`cut_name` keeps of it.

    Links, and whatever belongs to another user or only has a similar name, stay.
    """
    paths = [path for name, found in _candidates(parent).items() if of(name) for path in found]
    return [path for path in paths if _remove(path)]


def _candidates(parent: Path) -> dict[str, list[Path]]:
    """What looks like a leftover in a folder, by the name of what was made."""
    found: dict[str, list[Path]] = {}
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.name.startswith(".") and entry.name.endswith(".partial"):
                match = _OWNED.fullmatch(entry.name) or _OLDER.fullmatch(entry.name)
                if match:
                    found.setdefault(match["of"], []).append(parent / entry.name)
    return found


def _remove(path: Path) -> bool:
    if match := _OWNED.fullmatch(path.name):
        owner = ProcessIdentity(int(match["pid"]), int(match["start"]), match["where"])
        return _remove_owned(path, match["of"], owner)
    match = _OLDER.fullmatch(path.name)
    return match is not None and _remove_older(path, int(match["pid"]))


def remove_leftovers_of(parent: Path, name: str) -> None:
    """Remove leftovers of one name, but do not list a huge folder for every file in it."""
    now = time.monotonic()
    known = _scans.get(parent)
    if known is None or now >= known.again:
        candidates = _candidates(parent)
        cost = time.monotonic() - now
        known = _Scan(now + cost / _SCANS_SHARE, candidates)
        if len(_scans) > 1000:
            _scans.clear()
        _scans[parent] = known
    for path in known.candidates.pop(cut_name(name), ()):
        _remove(path)


def cut_name(name: str) -> str:
    """As much of a name as its temporary folder's name holds."""
    return os.fsdecode(os.fsencode(name)[:_NAME_BYTES])


def open_folder(path: Path) -> int:
    """A handle of a folder that is no link."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _remove_owned(path: Path, of: str, owner: ProcessIdentity) -> bool:
    try:
        handle = open_folder(path)
    except OSError:  # a link, a file, or gone
        return False
    try:
        if os.fstat(handle).st_uid != os.geteuid() or not _is_dead(path, handle, owner):
            return False
        if not all(cut_name(name) == of for name in os.listdir(handle)):
            return False
        shutil.rmtree(path, ignore_errors=True)
        return True
    except OSError:
        return False
    finally:
        os.close(handle)


def _is_dead(path: Path, handle: int, owner: ProcessIdentity) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        age = _FOREIGN_AGE
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        age = _UNLOCKED_AGE
    if owner.is_near():
        return not owner.runs()
    return time.time() - _last_change(path) > age


def _last_change(path: Path) -> float:
    newest = path.lstat().st_mtime
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            newest = max(newest, os.lstat(os.path.join(folder, name)).st_mtime)
    return newest


def _remove_older(path: Path, pid: int) -> bool:
    try:
        found = path.lstat()
        if found.st_uid != os.geteuid() or process_runs(pid):
            return False
        if stat.S_ISDIR(found.st_mode):
            shutil.rmtree(path, ignore_errors=True)
        elif stat.S_ISREG(found.st_mode):
            path.unlink()
        else:
            return False
    except OSError:
        return False
    return True
