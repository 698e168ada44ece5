"""What tells most, first: for a machine that is there for minutes only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from compiler.precision import TF32

from .cases import COMPILED, EAGER, FIRST_COMPILED, ROASTERY
from .pieces import Piece

_FIRST, _SECOND = FIRST_COMPILED
# With many processors: seconds that a piece probably takes, and may take.
_SHORT = {ROASTERY: (30.0, 90.0), EAGER: (30.0, 90.0), COMPILED: (150.0, 300.0)}
_OTHERS = {"check": (60.0, 150.0), "kernels": (40.0, 120.0)}


def telling_first(pieces: Sequence[Piece]) -> list[Piece]:
    """Checks; then ResNet-50: training in every precision, and in tf32 by max-autotune, kernel by
    kernel, and inference; MobileNet's training; that of all nets; what is left, as it comes."""
    return sorted(map(_shortened, pieces), key=_rank)


def _shortened(piece: Piece) -> Piece:
    seconds, most = _SHORT.get(piece.contender) or _OTHERS[piece.stage]
    return replace(piece, seconds=seconds, most=most)


def _rank(piece: Piece) -> int:
    case = piece.case
    if case is None:
        return 0
    first = case.net == _FIRST
    if piece.stage == "check":
        return 0 if case.net in FIRST_COMPILED else 8
    if piece.stage == "kernels":
        return 3 if first and case.precision == TF32 else 8
    if piece.contender == COMPILED:
        if case.precision != TF32 or not case.trains:
            return 9
        return {_FIRST: 2, _SECOND: 6}.get(case.net, 9)
    if first and case.trains:
        return 1
    if case.precision != TF32:
        return 8
    if first:
        return 4
    if case.trains:
        return 5 if case.net == _SECOND else 7
    return 8
