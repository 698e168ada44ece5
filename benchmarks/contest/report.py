"""What a contest found, as tables, and as data."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from benchmarks.zoo import ZOO

from .contenders import ENTRIES, ROASTERY
from .rounds import Bout

NAMES = tuple(dict.fromkeys(entry.name for entry in ENTRIES))


def bout_line(bout: Bout) -> str:
    """Times in milliseconds, and how many times as fast as each of the others Roastery is."""
    cells = [f"{ZOO[bout.net].name:15} b{bout.batch:<4} {_threads(bout.threads):10}"]
    for name in NAMES:
        time = bout.milliseconds.get(name)
        ratio = bout.ratio(name) if name != ROASTERY else None
        shown = "" if time is None else f"{time:.4g}"
        cells.append(f"{shown:>9}" + ("" if name == ROASTERY else _ratio(ratio)))
    if bout.trains and bout.threads == 1:
        cells.append(_caffe(bout))
    return " ".join(cells).rstrip()


def head() -> str:
    """Above the lines of :func:`bout_line`."""
    others = "".join(f" {name:>16}" for name in NAMES[1:])
    return f"{'net':15} {'batch':5} {'threads':10} {ROASTERY:>9}{others}"


def means(bouts: Sequence[Bout]) -> list[str]:
    """Geometric means of ratios, per contender and number of threads, and the worst cases."""
    lines = []
    numbers = sorted({bout.threads for bout in bouts})
    for name in NAMES[1:]:
        for threads in (*numbers, None) if len(numbers) > 1 else numbers:
            chosen = [b for b in bouts if threads in (None, b.threads) and b.ratio(name)]
            ratios = {_case(bout): bout.ratio(name) or 0.0 for bout in chosen}
            if ratios:
                worst = min(ratios, key=lambda case: ratios[case])
                lines.append(
                    f"{statistics.geometric_mean(ratios.values()):5.2f} times as fast as {name}, "
                    f"{_threads(threads) if threads else 'all'}; "
                    f"least of {len(ratios)} cases {ratios[worst]:.2f}: {worst}"
                )
    return lines


def differences(bouts: Iterable[Bout], tolerance: float) -> list[str]:
    """Who computes something else, and who could not take part."""
    lines = []
    for bout in bouts:
        for name, error in bout.differences.items():
            if not error <= tolerance:
                lines.append(f"{_case(bout)}: {name} differs by {error:.1e}")
        lines += [f"{_case(bout)}: {remark}" for remark in bout.remarks]
    return lines


def data(bouts: Iterable[Bout]) -> list[dict[str, object]]:
    """For other programs."""
    return [{**asdict(b), "ratios": {name: b.ratio(name) for name in NAMES[1:]}} for b in bouts]


def memory_table(found: dict[str, dict[str, int]]) -> str:
    """Peak resident memory in MB, by case and contender."""
    lines = [f"{'whole process, peak MB':32}" + "".join(f"{name:>14}" for name in NAMES)]
    for case, sizes in found.items():
        cells = (f"{sizes[name] / 1e6:14.0f}" if name in sizes else f"{'':14}" for name in NAMES)
        lines.append((f"{case:32}" + "".join(cells)).rstrip())
    return "\n".join(lines)


def _case(bout: Bout) -> str:
    kind = "training, " if bout.trains else ""
    return f"{ZOO[bout.net].name} b{bout.batch}, {kind}{_threads(bout.threads)}"


def _threads(number: int) -> str:
    return "1 thread" if number == 1 else f"{number} threads"


def _ratio(ratio: float | None) -> str:
    return f"{'' if ratio is None else f'x{ratio:.2f}':>7}"


def _caffe(bout: Bout) -> str:
    recorded = ZOO[bout.net].caffe_ms
    ours = bout.milliseconds.get(ROASTERY)
    if recorded is None or ours is None or bout.batch != ZOO[bout.net].train_batch:
        return ""
    return f"  Caffe, elsewhere: {recorded:g} x{recorded / ours:.2f}"
