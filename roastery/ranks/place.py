"""Which rank this process is, as whoever started it says in the environment.

https://docs.pytorch.org/docs/stable/elastic/run.html lists what torchrun sets.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from ir.errors import RoasteryError


@dataclass(frozen=True)
class RankPlace:
    """A rank among all, and on its machine.

    Attributes:
        rank: from 0. count: of all machines.
        local_rank: on this machine, from 0. local_count: on this machine.
        restarts: how often all ranks were started again, because one of them had failed.
        run: the name of what is started again, if it has one.
    """

    rank: int
    count: int
    local_rank: int
    local_count: int
    restarts: int = 0
    run: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """What says it to a process."""
        return {
            "RANK": str(self.rank),
            "WORLD_SIZE": str(self.count),
            "LOCAL_RANK": str(self.local_rank),
            "LOCAL_WORLD_SIZE": str(self.local_count),
        }


def rank_place(environment: Mapping[str, str] = os.environ) -> RankPlace | None:
    """This process among the ranks; None: nobody started several.

    Raises RoasteryError for numbers that do not fit each other.
    """
    if "RANK" not in environment or "WORLD_SIZE" not in environment:
        return None
    rank, count = (_number(environment, name) for name in ("RANK", "WORLD_SIZE"))
    local_rank = _number(environment, "LOCAL_RANK", rank)
    local_count = _number(environment, "LOCAL_WORLD_SIZE", count)
    restarts = _number(environment, "TORCHELASTIC_RESTART_COUNT", 0)
    if not (rank < count and local_rank < local_count <= count):
        raise RoasteryError(
            f"the environment says RANK={rank} of WORLD_SIZE={count}, and on this machine "
            f"LOCAL_RANK={local_rank} of LOCAL_WORLD_SIZE={local_count}",
            hint="torchrun sets them; without it unset RANK and WORLD_SIZE",
        )
    run = environment.get("TORCHELASTIC_RUN_ID", "")
    return RankPlace(rank, count, local_rank, local_count, restarts, "" if run == "none" else run)


def _number(environment: Mapping[str, str], name: str, default: int = -1) -> int:
    text = environment.get(name, str(default)).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise RoasteryError(
            f"the environment says {name}={text!r:.80}",
            hint="a whole number from 0; torchrun sets it",
        )
    return int(text)
