"""The model beside gloo on this machine: what it needs is measured, and what it says, too.

Between processes of one machine nothing travels by itself: sums, copies and the kernel's part of a
message take time of the processors that the passes run on. So ranks take as long as the events of
:mod:`.overlap`, or as long as the processors need for the work of all ranks, whichever is longer.
How much slower two processes are because they share caches, memory and the cores' units is no part
of the model: their passes are measured side by side.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.ranks.__main__ import NETS
from benchmarks.ranks.group import Group
from benchmarks.zoo import ZOO
from runtime.machine.processor import cpu_target

from .overlap import RankWork, iteration

ALLOWED = 0.15
SIZES = (4, 64 << 10, 1 << 20, 8 << 20, 64 << 20)


@dataclass(frozen=True)
class Fitted:
    """alpha + beta x bytes, through measured points: least squares of relative errors."""

    alpha: float
    beta: float

    def __call__(self, nbytes: float) -> float:
        return self.alpha + self.beta * nbytes

    @staticmethod
    def to(points: Sequence[tuple[int, float]]) -> Fitted:
        weights = [(1 / y**2, x, y) for x, y in points]
        w = sum(weight for weight, _, _ in weights)
        x = sum(weight * x for weight, x, _ in weights) / w
        y = sum(weight * y for weight, _, y in weights) / w
        above = sum(weight * (a - x) * (b - y) for weight, a, b in weights)
        beta = above / sum(weight * (a - x) ** 2 for weight, a, _ in weights)
        return Fitted(max(y - beta * x, 0.0), beta)


@dataclass(frozen=True)
class Gloo:
    """Of so many ranks: seconds of an all-reduce, and seconds of each rank's processors."""

    takes: Callable[[float], float]
    works: Callable[[float], float]


def predicted(work: RankWork, gloo: Gloo, count: int, processors: int) -> float:
    """Seconds of an iteration of ``count`` ranks on one machine.

    Args:
        work: of one of them, as long as it takes while its processor is its own.
    """
    events = iteration(work, gloo.takes).seconds
    busy = work.alone + sum(gloo.works(nbytes) for _, nbytes in work.buckets)
    return max(events, count * busy / processors)


def check(nets: list[str] | None, rounds: int, seconds: float) -> int:
    """Print predictions, measurements and errors; 1 where one of 1 or 2 ranks is too far off."""
    processors = cpu_target().processors
    worst = 0.0
    print(f"{'net':18}{'ranks':>6}{'predicted ms':>14}{'measured ms':>13}{'error':>8}")
    for net in nets or [*NETS]:
        for count, says, takes in _compared(net, NETS[net], rounds, seconds, processors):
            error = says / takes - 1
            if count <= min(2, processors):
                worst = max(worst, abs(error))
            print(
                f"{ZOO[net].name:18}{count:6}{says * 1e3:14.1f}{takes * 1e3:13.1f}{error:8.0%}",
                flush=True,
            )
    print(f"1 and 2 ranks are at most {worst:.0%} off ({ALLOWED:.0%} are allowed)")
    return int(worst > ALLOWED)


def _compared(
    net: str, batch: int, rounds: int, seconds: float, processors: int
) -> list[tuple[int, float, float]]:
    """Ranks, seconds as predicted, and as measured."""
    with (
        Group(net, batch, 2, together=False) as apart,
        Group(net, batch, 2, together=True) as two,
        Group(net, batch, 4, together=True) as four,
    ):
        (known,) = apart.ask("buckets", count=3, only=0)
        count = max(3, round(seconds / (known["passes"] + known["update"])))
        first, alone, side, ranks, many = [], [], [], [], []
        known_again, gloo_two, gloo_four = [], [], []
        for _ in range(rounds):  # in turn: others may use the machine, too
            known_again += apart.ask("buckets", count=min(count, 10), only=0)
            for times in (first, alone):
                times += apart.ask("steps", count=count, only=0, timeline=False)[0]["seconds"]
            side += [t for a in apart.ask("steps", count=count) for t in a["seconds"]]
            gloo_two += two.ask("gloo", sizes=SIZES, repeats=5)
            ranks += [t for a in two.ask("steps", count=count) for t in a["seconds"]]
            gloo_four += four.ask("gloo", sizes=SIZES, repeats=3)
            many += [t for a in four.ask("steps", count=3) for t in a["seconds"]]
    work = _work(net, batch, known_again)
    work = work.slower(statistics.median(first) / work.alone)  # without what noting costs
    beside = work.slower(statistics.median(side) / work.alone)
    return [
        (1, work.alone, statistics.median(alone)),
        (2, predicted(beside, _fitted(gloo_two), 2, processors), statistics.median(ranks)),
        (4, predicted(beside, _fitted(gloo_four), 4, processors), statistics.median(many)),
    ]


def _work(net: str, batch: int, known: Sequence[dict[str, object]]) -> RankWork:
    """The median of what was found several times."""
    middle = sorted(known, key=_whole)[len(known) // 2]
    buckets = middle["buckets"]
    assert isinstance(buckets, list)
    passes, update = (float(str(middle[name])) for name in ("passes", "update"))
    return RankWork(net, batch, passes, update, tuple((at, n) for at, n in buckets))


def _whole(found: dict[str, object]) -> float:
    return float(str(found["passes"])) + float(str(found["update"]))


def _fitted(answers: Sequence[Sequence[tuple[int, float, float]]]) -> Gloo:
    """Of what all ranks found in all rounds, the medians by size."""
    points: dict[int, tuple[list[float], list[float]]] = {n: ([], []) for n, _, _ in answers[0]}
    for answer in answers:
        for nbytes, wall, busy in answer:
            points[nbytes][0].append(wall)
            points[nbytes][1].append(busy)
    takes, works = (
        Fitted.to([(n, statistics.median(found[which])) for n, found in points.items()])
        for which in (0, 1)
    )
    return Gloo(takes, works)
