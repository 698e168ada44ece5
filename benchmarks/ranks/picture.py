"""A timeline of ranks as text."""

from __future__ import annotations

from typing import Any

from runtime.distributed.timeline import BACKWARD, FORWARD, WAITS

_WIDTH = 100
_SIGNS = {FORWARD: "f", BACKWARD: "b", WAITS: "."}


def picture(events: list[dict[str, Any]]) -> str:
    """Two lines for each rank: what it computes, and which buckets travel, by turns in capital and
    small letters."""
    slices = [event for event in events if event["ph"] == "X"]
    begin = min(event["ts"] for event in slices)
    end = max(event["ts"] + event["dur"] for event in slices)
    column = (end - begin) / _WIDTH
    lines = [
        f"{(end - begin) / 1e3:.1f} ms; f forward, b backward, . waits; below: buckets that travel"
    ]
    for rank in sorted({event["pid"] for event in slices}):
        computes, travels = [" "] * _WIDTH, [" "] * _WIDTH
        number = 0
        for event in sorted((e for e in slices if e["pid"] == rank), key=lambda e: e["ts"]):
            first = int((event["ts"] - begin) / column)
            last = int((event["ts"] + event["dur"] - begin) / column)
            known = event["name"] in _SIGNS
            sign = _SIGNS[event["name"]] if known else "Aa"[number % 2]
            number += not known
            row = computes if known else travels
            for place in range(first, min(max(last, first + 1), _WIDTH)):
                row[place] = sign
        lines += [f"rank {rank}  {''.join(computes)}", f"        {''.join(travels)}".rstrip()]
    return "\n".join(lines)
