"""Ranks find each other in a store that still holds what others wrote, who have ended."""

from __future__ import annotations

import datetime
import threading
from typing import Any

import pytest

from ir.errors import RoasteryError
from runtime.distributed import meeting

pytest.importorskip("torch.distributed", reason="torch is not installed")

COUNT = 3


def _meet(port: int) -> list[Any]:
    """What each rank gets; they arrive in another order."""
    found: list[Any] = [None] * COUNT

    def join(rank: int) -> None:
        environment = {
            "RANK": str(rank),
            "WORLD_SIZE": str(COUNT),
            "MASTER_ADDR": "localhost",
            "MASTER_PORT": str(port),
            "TORCHELASTIC_USE_AGENT_STORE": "True",
        }
        patience = datetime.timedelta(seconds=60)
        found[rank], *numbers = meeting.meet(patience, lambda _: None, environment)
        assert numbers == [rank, COUNT]

    threads = [threading.Thread(target=join, args=(rank,)) for rank in (2, 0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


def test_what_the_dead_wrote_is_not_read() -> None:
    from torch.distributed import TCPStore

    server = TCPStore("localhost", 0, is_master=True, wait_for_workers=False)
    server.set("hello/1", "of one that ended before it was answered")
    for address in ("first", "second", "third"):
        stores = _meet(server.port)
        assert not any(store.check(["address"]) for store in stores)
        stores[1].set("address", address)
        assert [store.get("address").decode() for store in stores] == [address] * COUNT


def test_who_waits_says_for_whom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meeting, "_PATIENCE", 0.05)
    environment = {"RANK": "0", "WORLD_SIZE": "3", "MASTER_ADDR": "localhost"}
    with pytest.raises(RoasteryError, match="MASTER_PORT=''"):
        meeting.meet(datetime.timedelta(seconds=0.3), print, environment)
    heard: list[str] = []
    with pytest.raises(RoasteryError, match=r"rank 0 waits for rank\(s\) 1, 2 of 3 at localhost:"):
        meeting.meet(
            datetime.timedelta(seconds=0.3), heard.append, environment | {"MASTER_PORT": _free()}
        )
    assert len(heard) == 1 and "rank 0 waits" in heard[0]
    with pytest.raises(RoasteryError, match="rank 0 cannot be reached at localhost:"):
        meeting.meet(
            datetime.timedelta(seconds=0.3),
            heard.append,
            environment | {"MASTER_PORT": _free(), "RANK": "1"},
        )


def _free() -> str:
    import socket

    with socket.socket() as found:
        found.bind(("localhost", 0))
        return str(found.getsockname()[1])
