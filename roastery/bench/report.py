"""What ``roastery bench`` prints and writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ir.text_table import text_table
from runtime.backends.speed import Speed

from .measure import KernelResult

_HEAD = ("kernel", "pass", "times", "error", "us", "GFLOP/s", "GB/s", "of limit", "limit", "")
_LARGE = 1 << 28  # bytes that no cache holds


def speed_line(device: str, speed: Speed | None) -> str:
    """What a device can do, for people."""
    known = []
    if speed and speed.operations:
        known.append(f"{speed.operations / 1e9:.0f} GFLOP/s of float32 multiply-adds")
    if speed and speed.bytes_copied(_LARGE):
        known.append(f"copies {speed.bytes_copied(_LARGE) / 1e9:.1f} GB/s (read and written)")
    return f"{device}: {', '.join(known) or 'its limits are not known'}"


def kernel_table(rows: Sequence[KernelResult], tolerance: float) -> str:
    """A line for each kernel, in the order of the net, and one of all."""
    lines = [_HEAD]
    for row in rows:
        good = row.error <= tolerance
        lines.append(
            (
                row.kernel,
                row.when,
                str(row.count),
                f"{row.error:.1e}",
                _number(row.seconds, 1e6, 1),
                _number(row.gflops if row.multiply_adds else None, 1, 1),
                _number(row.gigabytes, 1, 1),
                "" if row.share is None else f"{row.share:.0%}",
                row.limit or "",
                "" if good else "WRONG",
            )
        )
    used = [i for i in range(len(_HEAD)) if any(line[i] for line in lines[1:])]
    return text_table([tuple(line[i] for i in used) for line in lines])


def conclusion(rows: Sequence[KernelResult], tolerance: float) -> str:
    """How many kernels, how many wrong, and how near those bound by one limit come to it."""
    wrong = sum(not row.error <= tolerance for row in rows)
    parts = [f"{len(rows)} kernels against the reference, {wrong} wrong (over {tolerance:g})"]
    for limit in ("arithmetic", "memory"):
        bound = [row for row in rows if row.limit == limit]
        taken = sum(row.count * (row.seconds or 0) for row in bound)
        least = sum(row.count * (row.share or 0) * (row.seconds or 0) for row in bound)
        if taken:
            parts.append(f"{1e3 * taken:.2f} ms bound by {limit}, {least / taken:.0%} of the limit")
    return "; ".join(parts)


def document(
    net: str, tolerance: float, rows: Iterable[KernelResult], limits: dict[str, object]
) -> object:
    """The same as JSON."""
    return {
        "net": net,
        "tolerance": tolerance,
        "limits": limits,
        "kernels": [row.json() for row in rows],
    }


def limits_json(speed: Speed | None) -> dict[str, float | None]:
    """Operations and bytes a second, None where they are not known."""
    return {
        "operations": (speed and speed.operations) or None,
        "bytes_copied": (speed and speed.bytes_copied(_LARGE)) or None,
    }


def _number(value: float | None, scale: float, digits: int) -> str:
    return "" if value is None else f"{scale * value:.{digits}f}"
