"""Which process this is, in a form that another can check later: does it still run?

A process number alone is used again soon, by other programs and in other containers. Together
with the moment at which the process began, and with the boot and the process namespace in which
that number counts, it names one process for ever.
"""

from __future__ import annotations

import functools
import hashlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process.

    Attributes:
        pid: its number.
        start: when it began, in clock ticks since the boot; 0 where the system does not say.
        where: eight hexadecimal digits for the boot and the process namespace.
    """

    pid: int
    start: int
    where: str

    def is_near(self) -> bool:
        """Whether its number counts here: the same boot and the same container."""
        return self.where == _where()

    def runs(self) -> bool:
        """Whether it still runs; only asked of a process that :meth:`is_near`."""
        found = _start(self.pid)
        if found is not None:
            return found == self.start or not self.start
        return not Path("/proc/self/stat").exists() and _answers(self.pid)


def this_process() -> ProcessIdentity:
    """The process that calls."""
    pid = os.getpid()
    return ProcessIdentity(pid, _start(pid) or 0, _where())


def process_runs(pid: int) -> bool:
    """Whether a process of this number runs here, whichever it is."""
    return _start(pid) is not None or (_answers(pid) and not Path("/proc/self/stat").exists())


def _start(pid: int) -> int | None:
    """When a process began; None for one that has ended, also if nobody has asked for its end."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    # The name of the program, in parentheses, may hold anything.
    fields = text.rpartition(b")")[2].split()
    if len(fields) < 20 or fields[0] in (b"Z", b"X"):
        return None
    return int(fields[19])


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


@functools.cache
def _where() -> str:
    parts = [socket.gethostname()]
    try:
        parts = [Path("/proc/sys/kernel/random/boot_id").read_text().strip()]
        parts.append(os.readlink("/proc/self/ns/pid"))
    except OSError:
        pass  # the name of the host must do
    return hashlib.blake2b("|".join(parts).encode(), digest_size=4).hexdigest()
