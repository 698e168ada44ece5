"""What the contest found, as tables."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from .cases import CONTENDERS, ROASTERY, Case
from .pieces import Piece
from .state import State

Times = dict[str, dict[str, float]]
"""Milliseconds of a pass by case and contender."""

_KINDS = (("inference, one image", 1, False), ("inference", 0, False), ("training", 0, True))
_SHOWN = 15  # kernels of a net


def times_of(pieces: Sequence[Piece], state: State) -> Times:
    """Of a pass among many, as a server or a training runs them; one by one at batch 1."""
    found: Times = {}
    for piece in pieces:
        record = state.record(piece) if piece.stage == "time" else None
        if piece.case is not None and record is not None and "single" in record:
            key = "single" if piece.case.batch == 1 else "queued"
            found.setdefault(piece.case.key, {})[piece.contender] = float(record[key])
    return found


def ratio(times: dict[str, float], other: str) -> float | None:
    """How many times as fast as another one Roastery is."""
    if not {ROASTERY, other} <= times.keys():
        return None
    return times[other] / times[ROASTERY]


def report(pieces: Sequence[Piece], state: State) -> str:
    """All that is there, and what is missing or failed."""
    cases = list(dict.fromkeys(p.case for p in pieces if p.case is not None and p.contender))
    times = times_of(pieces, state)
    lines = [*_right(pieces, state)]
    for precision in dict.fromkeys(case.precision for case in cases):
        chosen = [case for case in cases if case.precision == precision]
        lines += ["", f"{precision}, milliseconds of a pass", *_table(chosen, times)]
        lines += _means(chosen, times)
    lines += _early(pieces, state)
    lines += _memory(pieces, state)
    for piece in pieces:
        record = state.record(piece) if piece.stage == "kernels" else None
        if record is not None and record.get("rows"):
            lines += ["", *_kernels(piece, record)]
    return "\n".join([*lines, *_missing(pieces, state)]) + "\n"


def _right(pieces: Sequence[Piece], state: State) -> Iterator[str]:
    for piece in pieces:
        record = state.record(piece) if piece.stage == "check" else None
        if record is None:
            continue
        yield f"{piece.name}: {record.get('failed', 'right')}"
        for name, row in record.get("errors", {}).items():
            yield f"  {name:22} loss {row['loss']:.1e}, diffs {row['diff']:.1e} ({row['worst']})"


def _table(cases: Sequence[Case], times: Times) -> Iterator[str]:
    others = CONTENDERS[1:]
    yield f"{'':34}{ROASTERY:>10}" + "".join(f"{name:>16}{'ratio':>7}" for name in others)
    for case in cases:
        found = times.get(case.key, {})
        if found:
            yield (
                f"{case.title:34}{_number(found.get(ROASTERY)):>10}"
                + "".join(
                    f"{_number(found.get(name)):>16}{_number(ratio(found, name)):>7}"
                    for name in others
                )
            ).rstrip()


def _means(cases: Sequence[Case], times: Times) -> Iterator[str]:
    """Geometric means, and the worst."""
    for title, batch, trains in _KINDS:
        chosen = [c for c in cases if c.trains == trains and (c.batch == 1) == (batch == 1)]
        for name in CONTENDERS[1:]:
            found = {c.title: ratio(times.get(c.key, {}), name) for c in chosen}
            known = {case: value for case, value in found.items() if value is not None}
            if known:
                worst = min(known, key=lambda case: known[case])
                yield (
                    f"{title}: {statistics.geometric_mean(known.values()):.2f} times as fast as "
                    f"{name}; least of {len(known)} {known[worst]:.2f}: {worst}"
                )


def _early(pieces: Sequence[Piece], state: State) -> Iterator[str]:
    """Of single images: what it changes that kernels begin while those before them end."""
    rows: list[str] = []
    for piece in pieces:
        record = (state.record(piece) or {}) if piece.contender == ROASTERY else {}
        if piece.case is not None and "early" in record:
            before, after = record["single"], record["early"]["single"]
            title = f"{piece.case.title}, {piece.case.precision}"
            rows.append(f"{title:44}{_number(before):>10}{_number(after):>10}{after / before:8.2f}")
    if rows:
        yield ""
        yield f"{'milliseconds':44}{'as always':>10}{'early':>10}{'ratio':>8}"
        yield from rows


def _memory(pieces: Sequence[Piece], state: State) -> Iterator[str]:
    """Of training: what was planned and what the device had less, beside the others' tensors."""
    columns = ("planned", "taken", *CONTENDERS[1:])
    rows: dict[str, dict[str, float]] = {}
    for piece in pieces:
        record = state.record(piece) if piece.contender else None
        if record is not None and piece.case is not None and piece.case.trains:
            sizes = dict(record.get("memory", {}))
            if "peak" in sizes:
                sizes[piece.contender] = sizes.pop("peak")
            title = f"{piece.case.title}, {piece.case.precision}"
            rows.setdefault(title, {}).update((n, size / 1e9) for n, size in sizes.items() if size)
    if any(rows.values()):
        yield ""
        yield f"{'GB':44}" + "".join(f"{name:>16}" for name in columns)
        for title, sizes in rows.items():
            cells = "".join(f"{_number(sizes.get(name)):>16}" for name in columns)
            yield f"{title:44}{cells}".rstrip()


def _kernels(piece: Piece, record: dict[str, Any]) -> Iterator[str]:
    """Those that take longest, and how near to the roofline they are."""
    assert piece.case is not None
    rows = record["rows"]
    total = sum(row["microseconds"] for row in rows)
    least = sum(row["least"] for row in rows)
    predicted = sum(row["predicted"] for row in rows)
    if not total:
        return
    yield (
        f"{piece.case.title}, {piece.case.precision}: {len(rows)} launches, {total / 1e3:.2f} ms, "
        f"{least / total:.0%} of the roofline; predicted {predicted / 1e3:.2f} ms"
    )
    for kind, multiplies in (("products", True), ("others", False)):
        chosen = [row for row in rows if bool(row.get("flops")) == multiplies]
        if spent := sum(row["microseconds"] for row in chosen):
            bound = sum(row["least"] for row in chosen)
            yield f"  {kind}: {spent / 1e3:.2f} ms, {bound / spent:.0%} of the roofline"
    yield f"{'us':>9}{'predicted':>11}{'roofline':>10}  kernel"
    for row in sorted(rows, key=lambda row: -row["microseconds"])[:_SHOWN]:
        time = row["microseconds"] or float("nan")
        share = row["least"] / time
        yield f"{time:9.1f}{row['predicted']:11.1f}{share:10.0%}  {row['label']} ({row['entry']})"


def _missing(pieces: Sequence[Piece], state: State) -> Iterator[str]:
    failed = {p.name: (state.record(p) or {}).get("failed") for p in pieces}
    if any(failed.values()):
        yield ""
        yield from (f"{name}: {why}" for name, why in failed.items() if why)
    left = sum(1 for piece in pieces if state.is_left(piece))
    if left:
        yield f"{left} of {len(pieces)} pieces are left: the same command goes on with them"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
