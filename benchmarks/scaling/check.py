"""The model beside ranks on this machine: what it needs is measured, and what it says, too.

Here nothing travels by itself: sums, copies and the kernel's part of a message take time of the
processors that the passes run on. So a message has, besides the time that it takes, one that it
costs who computes meanwhile; passes are longer by the costs of what left before their end, and what
leaves at their end is waited for. How much slower two processes are because they share caches,
memory and the cores' units is no part of the model: their passes are measured side by side.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import NormalDist

from benchmarks.ranks.__main__ import NETS
from benchmarks.ranks.group import Group
from benchmarks.zoo import ZOO
from runtime.machine.processor import cpu_target

from .overlap import RankWork, straggling

PAGE = Path(__file__).parents[1] / "results" / "scaling-check.md"
ALLOWED = 0.15
SIZES = (64, 64 << 10, 1 << 20, 8 << 20, 64 << 20)

LONGEST = 0.02
"""Seconds that ranks compute beside a small message, at most."""

AGREEMENT = 8
"""Bytes of a message at the end of all passes, by which ranks agree whether to go on."""


@dataclass(frozen=True)
class Fitted:
    """alpha + beta x bytes, through measured points: least squares of relative errors."""

    alpha: float
    beta: float

    def __call__(self, nbytes: float) -> float:
        return self.alpha + self.beta * nbytes

    @staticmethod
    def to(points: Sequence[tuple[int, float]]) -> Fitted:
        weights = [(1 / max(y, _LEAST) ** 2, x, y) for x, y in points]
        w = sum(weight for weight, _, _ in weights)
        x = sum(weight * x for weight, x, _ in weights) / w
        y = sum(weight * y for weight, _, y in weights) / w
        above = sum(weight * (a - x) * (b - y) for weight, a, b in weights)
        beta = above / sum(weight * (a - x) ** 2 for weight, a, _ in weights)
        return Fitted(max(y - beta * x, 0.0), beta)


_LEAST = 1e-5
"""Seconds below which a point is not exact."""


@dataclass(frozen=True)
class Averages:
    """Of so many ranks, by bytes.

    Attributes:
        takes: seconds of one, for which all ranks wait.
        travels: seconds while all compute something else.
        costs: seconds that it costs these.
    """

    takes: Callable[[float], float]
    travels: Callable[[float], float]
    costs: Callable[[float], float]


def predicted(work: RankWork, averages: Averages, count: int, processors: int) -> float:
    """Seconds of an iteration of ``count`` ranks on one machine.

    Args:
        work: of one of them, as long as it takes while its processor is its own.
        averages: while all of them run.
    """
    work = work.slower(max(1.0, count / processors))
    later = free = 0.0
    for ready, nbytes in work.buckets:
        # Gloo's threads have lost their turn: what left early arrives no sooner for its end.
        beside = ready < work.passes and count >= processors
        free = max(free, ready + later) + (averages.travels if beside else averages.takes)(nbytes)
        later += averages.costs(nbytes) if beside else 0.0
    return max(free, work.passes + later) + work.update


def check(nets: list[str] | None, rounds: int, seconds: float) -> int:
    """Print predictions, measurements and errors; 1 where one of 1 or 2 ranks is too far off."""
    processors = cpu_target().processors
    worst, lines = (
        0.0,
        ["| net | ranks | predicted, ms | measured, ms | error |", "|---|---|---|---|---|"],
    )
    print(*lines, sep="\n", flush=True)
    for net in nets or [*NETS]:
        for count, how, says, takes in _compared(net, NETS[net], rounds, seconds, processors):
            error = says / takes - 1
            if count <= min(2, processors):
                worst = max(worst, abs(error))
            times = f"{says * 1e3:.1f} | {takes * 1e3:.1f}"
            lines.append(
                f"| {ZOO[net].name} | {f'{count} {how}'.strip()} | {times} | {error:+.0%} |"
            )
            print(lines[-1], flush=True)
    verdict = f"1 and 2 ranks are at most {worst:.0%} off ({ALLOWED:.0%} are allowed)."
    print(verdict)
    if nets is None:
        PAGE.write_text(_page(lines, verdict), encoding="utf-8")
    return int(worst > ALLOWED)


def _page(lines: Sequence[str], verdict: str) -> str:
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "torch")
    )
    return "\n".join(
        (
            "# The model of scaling beside ranks on one machine",
            "",
            f"{platform.system()} on {platform.machine()}, {cpu_target().processors} processors, "
            f"Python {platform.python_version()}, {versions}.",
            "",
            f"    {' '.join(['python -m benchmarks.scaling', *sys.argv[1:]])}",
            "",
            "gloo: gradients are sent over loopback; shm: ranks average memory that all of them "
            f"see. {verdict} 4 ranks on fewer processors show how the model ends.",
            "",
            *lines,
            "",
        )
    )


def _compared(
    net: str, batch: int, rounds: int, seconds: float, processors: int
) -> Iterator[tuple[int, str, float, float]]:
    """Ranks, how they average, seconds as predicted, and as measured."""
    kinds = [(count, how) for count in (2, 4) for how in ("gloo", "shm")]
    with contextlib.ExitStack() as stack:
        apart = stack.enter_context(Group(net, batch, 2, together=False))
        groups = {
            (count, how): stack.enter_context(
                Group(net, batch, count, together=True, sent=how == "gloo")
            )
            for count, how in kinds
        }
        (known,) = apart.ask("buckets", count=3, only=0)
        count = max(3, round(seconds / (known["passes"] + known["update"])))
        beside = min(known["passes"] / 2, LONGEST)  # so long do buckets travel during backward
        first, alone, side = [], [], []
        known_again = []
        averages: dict[tuple[int, str], list[Points]] = {kind: [] for kind in kinds}
        steps: dict[tuple[int, str], list[float]] = {kind: [] for kind in kinds}
        for _ in range(rounds):  # in turn: others may use the machine, too
            known_again += apart.ask("buckets", count=min(count, 10), only=0)
            for times in (first, alone):
                times += apart.ask("steps", count=count, only=0, timeline=False)[0]["seconds"]
            side += [t for a in apart.ask("steps", count=count) for t in a["seconds"]]
            for kind, group in groups.items():
                averages[kind] += group.ask("averages", sizes=SIZES, repeats=15, seconds=beside)
                steps[kind] += [t for a in group.ask("steps", count=count) for t in a["seconds"]]
    work = _work(net, batch, known_again)
    work = work.slower(statistics.median(first) / work.alone)  # without what noting costs
    yield 1, "", work.alone, statistics.median(alone)
    middle, deviation = _spread(side)
    work = work.slower(middle / work.alone)
    for kind in kinds:
        slowest = work.slower(straggling(deviation, kind[0]))
        fitted = _fitted(averages[kind])
        if kind[1] == "shm":  # nothing is under way meanwhile: ranks average as they come by
            fitted = replace(fitted, travels=fitted.takes)
        says = predicted(slowest, fitted, kind[0], processors)
        yield *kind, says, statistics.median(steps[kind])


Points = Sequence[tuple[int, float, float, float]]
"""Bytes, and what is said of an average of so many."""


def _work(net: str, batch: int, known: Sequence[dict[str, object]]) -> RankWork:
    """The median of what was found several times."""
    middle = sorted(known, key=_whole)[len(known) // 2]
    buckets = middle["buckets"]
    assert isinstance(buckets, list)
    passes, update = (float(str(middle[name])) for name in ("passes", "update"))
    sent = (*((at, n) for at, n in buckets), (passes, AGREEMENT))
    return RankWork(net, batch, passes, update, sent)


def _spread(times: Sequence[float]) -> tuple[float, float]:
    """The median, and the deviation relative to it; few that took far longer do not count."""
    low, middle, high = statistics.quantiles(times, n=4)
    return middle, (high - low) / (2 * NormalDist().inv_cdf(0.75)) / middle


def _whole(found: dict[str, object]) -> float:
    return float(str(found["passes"])) + float(str(found["update"]))


def _fitted(answers: Sequence[Points]) -> Averages:
    """Of what all ranks found in all rounds, the medians by size."""
    found: dict[int, list[Sequence[float]]] = {}
    for answer in answers:
        for nbytes, *seconds in answer:
            found.setdefault(nbytes, []).append(seconds)
    middle = {
        nbytes: [statistics.median(column) for column in zip(*rows, strict=True)]
        for nbytes, rows in found.items()
    }
    takes, travels, costs = (
        Fitted.to([(nbytes, seconds[which]) for nbytes, seconds in middle.items()])
        for which in range(3)
    )
    return Averages(takes, travels, costs)
