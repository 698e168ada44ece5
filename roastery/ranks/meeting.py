"""Where processes that a script starts find each other: a folder that lasts as long as the script.

The process that makes it encodes its path in a *uid*, as long as NCCL's, which it hands to the
ranks. Each of them leaves a file there that says who it is, so that all can tell who is missing,
and who will not come any more. (Only processes of one machine meet so.)
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass
from multiprocessing import current_process
from multiprocessing.util import Finalize
from pathlib import Path

from ir.errors import RoasteryError

from ..files.process_identity import ProcessIdentity, this_process

UID_BYTES = 128
"""As many as an ncclUniqueId has."""

_TITLE = b"roastery ranks: "
_MAKER = "maker"
_MAKES = "caffe.NCCL.new_uid() makes one, in the process that starts the ranks"

_LOOK = 0.02
_REMARK = 60.0
_PATIENCE = 1800.0
"""Seconds between looks at who has come; after which it is said who has not; after which the
ranks give up. To build nets and open data may take a while, and not the same one for each."""

_BEHIND_CHILDREN = -100
"""Of what is done when a process ends: after its child processes have ended."""


def common_seed() -> int:
    """A number that all processes of one script have, and another run of it has not."""
    return int(_family(), 16) & 0x7FFFFFFF


def _family() -> str:
    """Hexadecimal digits that multiprocessing's processes of one script have in common."""
    return hashlib.blake2b(bytes(current_process().authkey), digest_size=4).hexdigest()


def _place() -> Path:
    """Where folders to meet in are, on all paths that a uid has room for."""
    room = UID_BYTES - len(_TITLE) - len("/roastery-ranks-12345678-12345678")
    return Path(
        next(place for place in (tempfile.gettempdir(), "/tmp") if len(os.fsencode(place)) <= room)
    )


def new_meeting() -> bytes:
    """Make a folder to meet in; the uid that leads there."""
    try:
        folder = tempfile.mkdtemp(prefix=f"roastery-ranks-{_family()}-", dir=_place())
        _write_identity(Path(folder, _MAKER), 0)
    except OSError as error:
        raise RoasteryError(
            f"there is no folder for ranks to meet in: {error}",
            hint="TMPDIR names a folder that can be written",
        ) from error
    Finalize(None, shutil.rmtree, (folder, True), exitpriority=_BEHIND_CHILDREN)
    return (_TITLE + os.fsencode(folder)).ljust(UID_BYTES, b"\0")


def tell_absence(rank: int) -> None:
    """Say to those that wait for a rank of this script's that it ends without having come."""
    with contextlib.suppress(OSError):
        for folder in _place().glob(f"roastery-ranks-{_family()}-*"):
            if not (folder / f"rank_{rank}").exists():
                (folder / f"absent_{rank}").touch()


@dataclass(frozen=True)
class Meeting:
    """The place of a uid, for one that comes there.

    Raises:
        RoasteryError: it is no uid, or nobody is there.
    """

    folder: Path
    rank: int
    count: int

    @classmethod
    def of(cls, uid: bytes | str, rank: int, count: int) -> Meeting:
        data = os.fsencode(uid) if isinstance(uid, str) else bytes(uid)
        if len(data) != UID_BYTES:
            raise RoasteryError(
                f"the uid has {len(data)} bytes instead of {UID_BYTES}", hint=_MAKES
            )
        if not data.startswith(_TITLE):
            raise RoasteryError("the uid is none of Roastery's", hint=_MAKES)
        folder = Path(os.fsdecode(data[len(_TITLE) :].rstrip(b"\0")))
        try:
            owner = folder.lstat().st_uid
        except (OSError, ValueError):
            raise _nobody() from None
        if owner != os.geteuid() or not folder.is_dir():
            raise RoasteryError("another user made the uid", hint=_MAKES)
        return cls(folder, rank, count)

    @property
    def store(self) -> str:
        """A file for ranks to tell each other where they listen."""
        return str(self.folder / "store")

    def attend(self, remark: Callable[[str], None]) -> None:
        """Come, and wait until all others have.

        Args:
            remark: is told who is missing after a while.
        """
        try:
            _write_identity(self._file(self.rank), self.count)
        except FileExistsError:
            raise RoasteryError(
                f"rank {self.rank} has been here already: each uid is for one caffe.NCCL of each "
                "rank",
                hint="caffe.set_solver_rank gives each process another rank, and "
                "caffe.NCCL.new_uid() each training a uid",
            ) from None
        except OSError:
            raise _nobody() from None
        began, told = time.monotonic(), False
        while missing := [rank for rank in range(self.count) if not self._has_come(rank)]:
            waited = time.monotonic() - began
            who = _ranks(missing)
            if waited > _PATIENCE:
                raise RoasteryError(
                    f"rank {self.rank} of {self.count} has waited {waited / 60:.0f} minutes for "
                    f"{who}",
                    hint="each rank makes a caffe.NCCL with the same uid; one that fails before "
                    "says why",
                )
            if waited > _REMARK and not told:
                told = True
                remark(f"rank {self.rank} of {self.count} waits for {who} to make its caffe.NCCL")
            time.sleep(_LOOK)

    def leave(self, patience: float) -> None:
        """Go, when all others do, or have ended, or some seconds have passed."""
        with contextlib.suppress(OSError):
            self._file(self.rank, "left").touch()
            until = time.monotonic() + patience
            while time.monotonic() < until and self.folder.exists():
                if all(self._is_gone(rank) for rank in range(self.count)):
                    break
                time.sleep(_LOOK)

    def _file(self, rank: int, what: str = "rank") -> Path:
        return self.folder / f"{what}_{rank}"

    def _is_gone(self, rank: int) -> bool:
        if self._file(rank, "left").exists():
            return True
        found = _read_identity(self._file(rank))
        return found is None or not found[0].runs()

    def _has_come(self, rank: int) -> bool:
        """Whether a rank is here; raises RoasteryError where it was, or will not come."""
        found = _read_identity(self._file(rank))
        if found is None:
            self._check_missing(rank)
            return False
        other, count = found
        if count != self.count:
            raise RoasteryError(
                f"rank {self.rank} is one of {self.count}, and rank {rank} one of {count}",
                hint="caffe.set_solver_count gives all processes the same number",
            )
        if not other.runs():
            raise RoasteryError(f"rank {rank} has ended before all ranks had come")
        return True

    def _check_missing(self, rank: int) -> None:
        if self._file(rank, "absent").exists():
            raise RoasteryError(
                f"rank {rank} has ended before it made its caffe.NCCL", hint="it says why"
            )
        maker = _read_identity(self.folder / _MAKER)
        if maker is None or not maker[0].runs():
            raise RoasteryError(
                f"rank {rank} has not come, and the process that made the uid has ended",
                hint="it waits for the ranks: process.join()",
            )


def _nobody() -> RoasteryError:
    return RoasteryError(
        "nobody serves the uid: the process that made it has ended, or ran on another machine",
        hint=f"it lasts as long as the process that made it does; {_MAKES}",
    )


def _ranks(numbers: Iterable[int]) -> str:
    listed = ", ".join(map(str, numbers))
    return f"rank{'s' * (',' in listed)} {listed}"


def _write_identity(path: Path, count: int) -> None:
    """Raises FileExistsError where somebody else is there."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(" ".join(map(str, (*astuple(this_process()), count))))
    try:
        os.link(new, path)  # it appears whole, once
    finally:
        new.unlink()


def _read_identity(path: Path) -> tuple[ProcessIdentity, int] | None:
    try:
        pid, start, where, count = path.read_text().split()
    except (OSError, ValueError):
        return None
    return ProcessIdentity(int(pid), int(start), where), int(count)
