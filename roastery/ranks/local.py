"""Ranks on this machine: processes that torch starts, each with a command of its own."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any

from ir.errors import RoasteryError
from runtime.distributed.by_torch import no_torch

from .place import RankPlace

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIGNALLED = 128
"""What a shell adds to the number of a signal that ended a process."""

_HERE = "127.0.0.1"
_LOOPBACK = "lo" if sys.platform.startswith("linux") else "lo0"
_LOOK = 0.1
"""Seconds between looks at the ranks."""


def run_local_ranks(count: int, words: Sequence[str], early: Sequence[int] = ()) -> int:
    """Run ``roastery WORDS`` as ``count`` ranks, and wait for them; the exit code of the first
    that failed.

    Signals are passed on to all of them. Where one fails the others are ended.

    Args:
        early: signals that have arrived.

    Raises:
        RoasteryError: a signal ended one of them; torch is not installed.
    """
    try:
        from torch.distributed import TCPStore
        from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, start_processes
    except ImportError as error:
        raise no_torch(error) from error
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    listening = socket.create_server((_HERE, 0))  # which nobody from elsewhere reaches
    store = TCPStore(
        _HERE,
        listening.getsockname()[1],
        is_master=True,
        wait_for_workers=False,
        master_listen_fd=listening.detach(),
    )
    places = [RankPlace(rank, count, rank, count) for rank in range(count)]
    met = {
        "MASTER_ADDR": _HERE,
        "MASTER_PORT": str(store.port),
        "TORCHELASTIC_USE_AGENT_STORE": "True",  # the store is here: all ranks only visit it
        "GLOO_SOCKET_IFNAME": _LOOPBACK,
        "ROASTERY_RANKS_OF": str(os.getpid()),
    }
    logs = DefaultLogsSpecs()
    started: Any = None
    waiting = list(early)
    with _passing_on(lambda: started, waiting):
        started = start_processes(
            "roastery",
            sys.executable,
            dict.fromkeys(range(count), ("-m", "roastery", *words)),
            {place.rank: {**place.environment, **met} for place in places},
            logs,
        )
        for number in waiting:
            _pass_on(started, number)
        try:
            return _wait(started)
        finally:
            started.close(signal.SIGKILL)
            shutil.rmtree(logs.root_log_dir, ignore_errors=True)


def _wait(started: Any) -> int:
    result = None
    while result is None:
        result = started.wait(timeout=_LOOK, period=_LOOK)
    if not result.failures:
        return 0
    first = min(result.failures.values(), key=lambda failure: failure.timestamp)
    code = int(first.exitcode)
    if code >= 0:
        return code
    name = signal.Signals(-code).name
    raise RoasteryError(
        f"rank {first.local_rank} was ended by {name}, and with it the others",
        hint="`roastery train --snapshot=auto` goes on from the newest snapshot; torchrun starts "
        "all ranks again by itself, as often as --max-restarts says",
    )


@contextlib.contextmanager
def _passing_on(started: Callable[[], Any], waiting: list[int]) -> Iterator[None]:
    """In the block signals go to all ranks; those that come before there are any wait."""

    def handle(number: int, frame: FrameType | None) -> None:
        if (ranks := started()) is None:
            waiting.append(number)
        else:
            _pass_on(ranks, number)

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _pass_on(started: Any, number: int) -> None:
    for pid in started.pids().values():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def end_with_parent() -> None:
    """Ask the system for SIGTERM when the process that started this rank has ended. (Linux.)"""
    parent = os.environ.get("ROASTERY_RANKS_OF", "")
    if not parent or not sys.platform.startswith("linux"):
        return
    import ctypes

    set_parent_death_signal = 1  # PR_SET_PDEATHSIG, see prctl(2)
    ctypes.CDLL(None, use_errno=True).prctl(set_parent_death_signal, signal.SIGTERM)
    if parent != str(os.getppid()):  # it ended before
        os.kill(os.getpid(), signal.SIGTERM)
