"""One training at a time writes the snapshots of a prefix.

Two runs with one snapshot_prefix overwrite each other's files, and a resumed one goes on with a
mixture. A lock file beside the snapshots, ``.PREFIX.lock``, says who writes them. The system frees
the lock when its owner dies, however it dies, and the next run takes the file over.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from frontends.prototxt import Message
from ir.errors import RoasteryError
from ir.location import Location

from ..files.leftovers import cut_name
from ..files.process_identity import ProcessIdentity, this_process
from ..files.regular_file import check_name

_TITLE = "roastery: snapshots of this prefix are being written"
_MOST_BYTES = 1 << 16


@dataclass
class _Held:
    """A lock that this process holds, for ``users`` solvers."""

    handle: int
    owner: ProcessIdentity
    users: int


_held: dict[str, _Held] = {}


class PrefixLock:
    """The right to write snapshots of a prefix. Solvers of one process share it.

    Attributes:
        remark: what to tell the user: that the file was left by a run that was killed.

    Raises:
        RoasteryError: another process has it, or the file cannot be made.
    """

    def __init__(self, prefix: str, place: Location | None = None) -> None:
        check_name(prefix, place)
        folder, stem = os.path.split(prefix)
        self._path = Path(os.path.realpath(folder)) / f".{cut_name(stem)}.lock"
        self.remark = ""
        held = _held.get(str(self._path))
        if held is not None and held.owner == this_process():
            held.users += 1
        else:
            handle, self.remark = _acquire(self._path, prefix, place)
            _held[str(self._path)] = _Held(handle, this_process(), 1)
        self._released = False

    def release(self) -> None:
        """Give it back; the file goes with the last user of this process."""
        held = _held.get(str(self._path))
        # A child that was forked inherits our tables, but the lock is its parent's.
        if self._released or held is None or held.owner != this_process():
            return
        self._released = True
        held.users -= 1
        if not held.users:
            del _held[str(self._path)]
            with contextlib.suppress(OSError):
                if _is_same(self._path, held.handle):
                    self._path.unlink()
            os.close(held.handle)


@contextlib.contextmanager
def claimed_prefix(solver: Message, tell: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock in the block, for a solver that writes snapshots into a folder that exists.

    A folder that is missing is made later, after all that may be wrong is checked; nobody else
    writes there yet.

    Args:
        tell: hears who left the lock file behind.
    """
    prefix = solver.snapshot_prefix
    if not (solver.snapshot or solver.snapshot_after_train) or not os.path.isdir(
        os.path.dirname(prefix) or "."
    ):
        yield
        return
    lock = PrefixLock(prefix, solver.location_of("snapshot_prefix"))
    try:
        if lock.remark:
            tell(lock.remark)
        yield
    finally:
        lock.release()


def _acquire(path: Path, prefix: str, place: Location | None) -> tuple[int, str]:
    """A handle with the lock, and a remark on who left the file."""
    while True:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
        except OSError as error:
            raise RoasteryError(
                f"cannot make the lock file '{path}': {error.strerror}", location=place
            ) from None
        try:
            locked = _lock(handle)
            before = _content(handle)
            _check(path, handle, before, prefix, place, locked=locked)
            if _is_same(path, handle):  # else its owner has removed it meanwhile
                _sign(handle)
                return handle, _remark(path, before)
        except OSError as error:
            os.close(handle)
            raise RoasteryError(
                f"cannot write the lock file '{path}': {error.strerror}", location=place
            ) from None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _lock(handle: int) -> bool | None:
    """Take the lock: False where another has it, None where the file system knows none."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
    except OSError:
        return None


def _check(
    path: Path,
    handle: int,
    content: str,
    prefix: str,
    place: Location | None,
    *,
    locked: bool | None,
) -> None:
    if not stat.S_ISREG(os.fstat(handle).st_mode) or (content and not content.startswith(_TITLE)):
        raise RoasteryError(
            f"'{path}' is no lock file of Roastery's",
            location=place,
            hint="move it away, or give another snapshot_prefix",
        )
    owner = _fields(content)
    if locked or (locked is None and not _may_run(owner)):
        return
    hint = "stop it, or give this one another snapshot_prefix"
    if locked is None:
        hint += f"; if it has ended, remove '{path}'"
    raise RoasteryError(
        f"another training writes snapshots of the prefix '{prefix}': {_who(owner)}",
        location=place,
        hint=hint,
    )


def _may_run(owner: dict[str, str]) -> bool:
    """Whether the owner may still run, where no lock can say it."""
    if not owner:
        return False
    try:
        pid, start, where = owner.get("process", "").split("-")
        identity = ProcessIdentity(int(pid), int(start), where)
    except ValueError:
        return True
    return not identity.is_near() or identity.runs()


def _sign(handle: int) -> None:
    me = this_process()
    text = (
        f"{_TITLE}\nhost: {socket.gethostname()}\npid: {me.pid}\n"
        f"since: {time.strftime('%Y-%m-%d %H:%M:%S')}\n"
        f"command: {' '.join(sys.argv)!a}\nprocess: {me.pid}-{me.start}-{me.where}\n"
    )
    os.ftruncate(handle, 0)
    with contextlib.suppress(OSError):  # on a full disk the lock holds without its text
        os.pwrite(handle, text.encode("ascii", "backslashreplace"), 0)


def _content(handle: int) -> str:
    return os.pread(handle, _MOST_BYTES, 0).decode("ascii", "backslashreplace")


def _fields(content: str) -> dict[str, str]:
    pairs = (line.partition(": ") for line in content.splitlines()[1:])
    return {key: value for key, _, value in pairs}


def _who(owner: dict[str, str]) -> str:
    if not owner:
        return "it has just begun"
    shown = {key: ascii(value)[1:-1] for key, value in owner.items()}
    return (
        f"process {shown.get('pid', '?')} on {shown.get('host', '?')} since "
        f"{shown.get('since', '?')}, {shown.get('command', '?')}"
    )


def _remark(path: Path, before: str) -> str:
    owner = _fields(before)
    if not owner:
        return ""
    return f"took over '{path.name}' of a run that ended without removing it: {_who(owner)}"


def _is_same(path: Path, handle: int) -> bool:
    """Whether the open file is still the one of that name."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    mine = os.fstat(handle)
    return (found.st_dev, found.st_ino) == (mine.st_dev, mine.st_ino)
