"""Where ranks that somebody else has started meet: a store that one of them, or torchrun, keeps.

torchrun keeps one store while it starts ranks again and again, so that it still holds what those
that have ended wrote, the addresses among it. (torch: distributed/elastic/rendezvous/
dynamic_rendezvous.py, "TCPStore sharing".) So those that live now agree on a part of it first.
"""

from __future__ import annotations

import datetime
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from ir.errors import RoasteryError

_LOOK = 0.01
_CONNECT = datetime.timedelta(seconds=5)
_PATIENCE = 10.0
"""Seconds after which a rank says whom it waits for."""

Tell = Callable[[str], None]


def meet(
    patience: datetime.timedelta, tell: Tell, environment: Mapping[str, str]
) -> tuple[Any, int, int]:
    """The store of those that live now, this one's number and how many there are, as the
    environment says.

    Args:
        patience: after which it is an error that the others do not come.
        tell: hears for whom this one waits, if it waits long.

    Raises:
        RoasteryError: the environment does not say where, or the others do not come.
    """
    rank, count = int(environment["RANK"]), int(environment["WORLD_SIZE"])
    place, port = environment.get("MASTER_ADDR", ""), environment.get("MASTER_PORT", "")
    if not place or not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise strangers(
            f"the environment says RANK={rank} of WORLD_SIZE={count}, and that they meet at "
            f"MASTER_ADDR={place!r:.80}, MASTER_PORT={port!r:.20}"
        )
    waiting = _Waiting(time.monotonic() + patience.total_seconds(), tell)
    where = f"{place}:{port}"
    kept_by_other = environment.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    store = _opened(place, int(port), waiting, where, keeps=rank == 0 and not kept_by_other)
    store.set_timeout(patience)
    return _of_the_living(store, rank, count, waiting, where), rank, count


class _Waiting:
    """Until when, and whether that was said."""

    def __init__(self, end: float, tell: Tell) -> None:
        self._end = end
        self._tell = tell
        self._said = time.monotonic() + _PATIENCE

    def go_on(self, why: str) -> None:
        """Once more. Raises RoasteryError after the end."""
        now = time.monotonic()
        if now > self._end:
            raise strangers(why)
        if now > self._said:
            self._tell(why)
            self._said = self._end
        time.sleep(_LOOK)


def strangers(why: str) -> RoasteryError:
    """Why there are not several ranks."""
    return RoasteryError(
        f"the ranks do not find each other: {why}",
        hint="torchrun says where they meet: MASTER_ADDR, MASTER_PORT, RANK and WORLD_SIZE in the "
        "environment; without it unset RANK and WORLD_SIZE",
    )


def _opened(place: str, port: int, waiting: _Waiting, where: str, *, keeps: bool) -> Any:
    """The store, once it can be reached; signals are heeded meanwhile."""
    from torch.distributed import TCPStore

    while not keeps and not _is_there(place, port):  # torch would warn of each try
        waiting.go_on(f"rank 0 cannot be reached at {where}")
    try:
        return TCPStore(place, port, is_master=keeps, timeout=_CONNECT, wait_for_workers=False)
    except (RuntimeError, ValueError) as error:
        why = str(error).splitlines()[0][:200]
        does = "listen at" if keeps else "be reached at"
        raise strangers(f"rank 0 cannot {does} {where}: {why}") from error


def _is_there(place: str, port: int) -> bool:
    """Whether somebody listens at a port."""
    try:
        socket.create_connection((place, port), _CONNECT.total_seconds()).close()
    except OSError:
        return False
    return True


def _of_the_living(store: Any, rank: int, count: int, waiting: _Waiting, where: str) -> Any:
    """A part of the store that nobody has written to, known to this run's ranks alone.

    Rank 0 makes up its name. Each of the others says hello with a word of its own, and gets the
    name as the answer to that word: to a hello that was left by a rank that has ended, nobody
    listens.
    """
    from torch.distributed import PrefixStore

    if rank:
        word = secrets.token_hex(8)
        store.set(f"hello/{rank}", word)
        while not store.check([f"answer/{word}"]):
            waiting.go_on(f"rank 0 does not answer at {where}")
        name = store.get(f"answer/{word}").decode()
        store.set(f"here/{name}/{rank}", "")
        return PrefixStore(name, store)
    name = secrets.token_hex(8)
    heard: dict[int, bytes] = {}
    missing = list(range(1, count))
    while missing:
        for other in missing:
            if not store.check([f"hello/{other}"]):
                continue
            word = store.get(f"hello/{other}")
            if heard.get(other) != word:
                heard[other] = word
                store.set(f"answer/{word.decode()}", name)
        missing = [other for other in missing if not store.check([f"here/{name}/{other}"])]
        if missing:
            shown = ", ".join(map(str, missing[:8])) + (", ..." if len(missing) > 8 else "")
            waiting.go_on(f"rank 0 waits for rank(s) {shown} of {count} at {where}")
    return PrefixStore(name, store)
