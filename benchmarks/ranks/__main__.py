"""Several ranks on the processors of this machine, beside as many processes that do not talk.

    python -m benchmarks.ranks                     # all nets; writes benchmarks/results/ranks.md
    python -m benchmarks.ranks --net lenet --rounds 2 --seconds 0.3 --output -

Each process has one thread. In turn, so that all meet the same machine: one process alone, two side
by side, and 2 ranks, of the same batch each; the median of all iterations counts. The
efficiency of 2 ranks is the time of two side by side by theirs: what ranks cost, and not what two
processes take from each other. 4 ranks only show that they end with the same parameters. "Hidden"
is the share of the time in which gradients travelled that nobody waited.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.zoo import ZOO
from runtime.machine.processor import cpu_target

from .group import Group
from .picture import picture

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "benchmarks" / "results" / "ranks.md"
NETS = {
    "lenet": 64,
    "cifar10_quick": 100,
    "squeezenet": 8,
    "googlenet": 4,
    "resnet50": 4,
    "caffenet": 16,
}
WANTED = 0.85


@dataclass
class Found:
    """Seconds of an iteration: medians."""

    net: str
    batch: int
    megabytes: float
    buckets: int
    alone: float
    side: float
    ranks: float
    hidden: float
    events: list[dict[str, Any]]
    four: str = ""

    @property
    def efficiency(self) -> float:
        return self.side / self.ranks


def measure(net: str, batch: int, rounds: int, seconds: float, four: bool) -> Found:
    """One net."""
    with (
        Group(net, batch, 2, together=False) as apart,
        Group(net, batch, 2, together=True) as ranks,
    ):
        (known,) = apart.ask("buckets", count=3, only=0)
        nbytes = [nbytes for _, nbytes in known["buckets"]]
        count = max(3, round(seconds / (known["passes"] + known["update"])))
        times: dict[str, list[float]] = {"alone": [], "side": [], "ranks": []}
        hidden: list[float] = []
        for _ in range(rounds):
            times["alone"] += apart.ask("steps", count=count, only=0)[0]["seconds"]
            for answer in apart.ask("steps", count=count):
                times["side"] += answer["seconds"]
            for answer in ranks.ask("steps", count=count):
                times["ranks"] += answer["seconds"]
                hidden.append(answer["hidden"])
        events = [event for answer in ranks.ask("steps", count=2) for event in answer["events"]]
        assert len(set(ranks.ask("digest"))) == 1, "ranks have the same parameters"
    found = Found(
        net,
        batch,
        sum(nbytes) / 1e6,
        len(nbytes),
        *(statistics.median(times[name]) for name in ("alone", "side", "ranks")),
        statistics.median(hidden),
        events,
    )
    if four:
        with Group(net, batch, 4, together=True) as several:
            answers = several.ask("steps", count=2)
            equal = len(set(several.ask("digest"))) == 1
            time = statistics.median(t for answer in answers for t in answer["seconds"])
            found.four = f"{'equal' if equal else 'DIFFERENT'} ({time * 1e3:.0f} ms)"
    return found


def table(found: list[Found]) -> Iterator[str]:
    yield (
        "| net | batch of a rank | gradients, MB | buckets | alone, ms | two side by side, ms | "
        "2 ranks, ms | efficiency | hidden | 4 ranks on 2 processors |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for one in found:
        times = (f"{seconds * 1e3:.1f}" for seconds in (one.alone, one.side, one.ranks))
        yield (
            f"| {ZOO[one.net].name} | {one.batch} | {one.megabytes:.1f} | {one.buckets} | "
            f"{' | '.join(times)} | {one.efficiency:.2f} | {one.hidden:.0%} | {one.four} |"
        )


def page(found: list[Found], command: str) -> str:
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "torch")
    )
    target = cpu_target()
    bad = [ZOO[one.net].name for one in found if one.efficiency < WANTED]
    said = f"Below {WANTED}: {', '.join(bad)}." if bad else f"All reach {WANTED}."
    drawn = next((one for one in found if one.net == "googlenet"), found[-1])
    return "\n".join(
        (
            "# Several ranks on one machine",
            "",
            f"{platform.system()} on {platform.machine()}, {target.processors} processors, "
            f"Python {platform.python_version()}, {versions}.",
            "",
            f"    {command}",
            "",
            "Medians of iterations (forward, backward, reduction, update); each process has one "
            "thread. Efficiency: two processes side by side that do not talk, by 2 ranks. "
            f"{said} Hidden: of the time in which gradients travelled. 4 ranks only show that all "
            "end with the same parameters.",
            "",
            *table(found),
            "",
            f"Two iterations of {ZOO[drawn.net].name} by 2 ranks:",
            "",
            "```",
            picture(drawn.events),
            "```",
            "",
        )
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ranks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--net", nargs="+", choices=[*ZOO], default=[*NETS])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5, help="of each turn")
    parser.add_argument("--no-four", dest="four", action="store_false", help="without 4 ranks")
    parser.add_argument("--output", default=str(PAGE), help="-: print only")
    given = parser.parse_args()
    found = []
    print(*list(table([]))[:2], sep="\n", flush=True)
    for net in given.net:
        batch = NETS.get(net, ZOO[net].train_batch)
        found.append(measure(net, batch, given.rounds, given.seconds, given.four))
        print(*list(table(found[-1:]))[2:], sep="\n", flush=True)
    words = " ".join(["python -m benchmarks.ranks", *sys.argv[1:]])
    text = page(found, words)
    if given.output == "-":
        print(picture(found[-1].events))
    else:
        Path(given.output).write_text(text, encoding="utf-8")
    ratio = np.exp(np.mean([np.log(one.efficiency) for one in found]))
    print(f"geometric mean of efficiencies: {ratio:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
