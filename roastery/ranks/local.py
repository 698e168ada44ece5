"""Ranks on this machine: processes of this one's, which it ends with itself."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from types import FrameType

from ir.errors import RoasteryError
from runtime.distributed.by_torch import no_torch

from .place import RankPlace
from .with_parent import PARENT

_STOPS = (signal.SIGINT, signal.SIGTERM)
_PASSED_ON = (*_STOPS, signal.SIGHUP)

_HERE = "127.0.0.1"
_LOOPBACK = "lo" if sys.platform.startswith("linux") else "lo0"
_LOOK = 0.05
"""Seconds between looks at the ranks."""

_ONE_PRESS = 0.05
"""Seconds within which two signals are one."""

_LAST_WORDS = 5.0
"""Seconds that ranks have to end, after one has failed, or after a second signal to stop: one that
hangs, or that waits for it, does not heed signals."""


def run_local_ranks(count: int, words: Sequence[str], early: Sequence[int] = ()) -> int:
    """Run ``roastery WORDS`` as ``count`` ranks, and wait for them; the exit code of the first
    that failed.

    Signals are passed on to all of them. Where one fails the others are ended.

    Args:
        early: signals that have arrived.

    Raises:
        RoasteryError: a signal ended one of them; torch is not installed.
    """
    ranks = _LocalRanks()
    with ranks.getting_signals(early):
        try:
            from torch.distributed import TCPStore
        except ImportError as error:
            raise no_torch(error) from error
        # Its port is free for sure, and stays theirs; they only visit it.
        listening = socket.create_server((_HERE, 0))  # which nobody from elsewhere reaches
        store = TCPStore(
            _HERE,
            listening.getsockname()[1],
            is_master=True,
            wait_for_workers=False,
            master_listen_fd=listening.detach(),
        )
        try:
            ranks.start(count, words, store.port)
            return ranks.wait()
        finally:
            ranks.kill()


class _LocalRanks:
    """The processes, which have sessions of their own: what a terminal sends to all processes
    in front of it reaches them once, from here."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []
        self._complete = False
        self._waiting: list[int] = []  # signals that came before there were ranks
        self._stopped: float | None = None  # when the first signal came that asks for it
        self._patience = float("inf")  # until when ranks may end by themselves

    def start(self, count: int, words: Sequence[str], port: int) -> None:
        """Start all; they meet at a store that listens on ``port``."""
        met = {
            "MASTER_ADDR": _HERE,
            "MASTER_PORT": str(port),
            "TORCHELASTIC_USE_AGENT_STORE": "True",
            "GLOO_SOCKET_IFNAME": _LOOPBACK,
            PARENT: str(os.getpid()),
        }
        # Signals wait until a rank can answer them: Python itself would say KeyboardInterrupt.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)
        try:
            for rank in range(count):
                place = RankPlace(rank, count, rank, count)
                self._processes.append(
                    subprocess.Popen(
                        [sys.executable, "-m", "roastery", *words],
                        env={**os.environ, **place.environment, **met},
                        start_new_session=True,
                    )
                )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._complete = True
        for number in self._waiting:
            self._send(number)

    def wait(self) -> int:
        """Until all have ended well, or one has failed, and with it the others."""
        while not (failed := self._failed()):
            if all(process.returncode == 0 for process in self._processes):
                return 0
            if time.monotonic() > self._patience:
                self.kill()
            time.sleep(_LOOK)
        # What others say of it is that they have lost this one.
        first = min(failed, key=lambda rank: self._processes[rank].returncode)
        code = self._processes[first].returncode
        self._send(signal.SIGTERM)
        end = time.monotonic() + _LAST_WORDS
        while any(process.poll() is None for process in self._processes):
            if time.monotonic() > end:
                break
            time.sleep(_LOOK)
        if code >= 0:
            return code
        name = signal.Signals(-code).name
        if self._patience < float("inf"):
            raise RoasteryError(
                "the ranks did not heed the signals to stop, and were ended by SIGKILL: what was "
                "trained since the last snapshot is lost"
            )
        raise RoasteryError(
            f"rank {first} was ended by {name}, and with it the others",
            hint="`roastery train --snapshot=auto` goes on from the newest snapshot; torchrun "
            "starts all ranks again by itself, as often as --max-restarts says",
        )

    def _failed(self) -> list[int]:
        codes = [process.poll() for process in self._processes]
        return [rank for rank, code in enumerate(codes) if code]

    def kill(self) -> None:
        """End those that still run, at once."""
        self._send(signal.SIGKILL)
        for process in self._processes:
            process.wait()

    def _send(self, number: int) -> None:
        # All would save a snapshot each, where it reaches them in different iterations.
        heeding = self._processes[:1] if number == signal.SIGHUP else self._processes
        for process in heeding:
            process.send_signal(number)  # to those that run

    @contextlib.contextmanager
    def getting_signals(self, early: Sequence[int]) -> Iterator[None]:
        """In the block signals go to all ranks; those that come before there are any wait."""
        before = {number: signal.signal(number, self._pass_on) for number in _PASSED_ON}
        if signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL:
            before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, self._pause)
        for number in early:
            self._pass_on(number, None)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if number in _STOPS:
            if self._stopped is None:
                self._stopped = now
            elif now - self._stopped > _ONE_PRESS:
                self._patience = min(self._patience, now + _LAST_WORDS)
        if self._complete:
            self._send(number)
        else:
            self._waiting.append(number)

    def _pause(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-Z, until this process is to go on."""
        self._send(signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
        self._send(signal.SIGCONT)
