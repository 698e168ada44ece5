"""The work of the contest in pieces: each is a process of its own, that may be cut off."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from compiler.precision import FLOAT32

from .cases import COMPILED, EAGER, FIRST_COMPILED, PRECISIONS, ROASTERY, Case, cases

LIMIT = 8.5 * 60
"""Seconds that a piece may take."""

_SECONDS = {ROASTERY: 60.0, EAGER: 40.0, COMPILED: 150.0, "check": 240.0, "kernels": 120.0}
CHECKS = (
    "masks,views,capture,devices",
    "layers",
    "golden",
    "training",
    "precisions",
    "artifacts,early",
)
_MOST_DOUBLE = 16  # a batch in float64
STAGES = ("check", "time", "kernels")


@dataclass(frozen=True, slots=True)
class Piece:
    """Work that is done or not.

    Attributes:
        name: of its file. stage: one of :data:`STAGES`.
        command: what runs, without the file that it writes: ``{file}`` stands for it.
        seconds: that it probably takes. most: that it may take.
        attempts: before it is given up; what torch.compile has tried it finds again.
    """

    name: str
    stage: str
    command: tuple[str, ...]
    seconds: float
    attempts: int = 2
    case: Case | None = None
    contender: str = ""
    most: float = LIMIT

    @property
    def measures(self) -> bool:
        """Whether it measures times, so that nothing may run beside it."""
        return self.stage != "check"


def planned(
    stages: Collection[str] = STAGES,
    nets: Collection[str] = (),
    precisions: Collection[str] = PRECISIONS,
    without: Collection[str] = (),
) -> list[Piece]:
    """All pieces in order: what is right, then times, then kernels.

    Of times first those of Roastery and of PyTorch eager, then torch.compile, ResNet-50 and
    MobileNet in front.
    """
    chosen = [c for c in cases() if c.precision in precisions and (not nets or c.net in nets)]
    found: list[Piece] = []
    if "check" in stages:
        found += [*_checks(), _tests()]
        found += [_errors(case) for case in chosen if case.trains and case.precision == FLOAT32]
    if "time" in stages:
        # Contenders of a case side by side: the clocks of a machine change.
        found += [_timed(case, contender) for case in chosen for contender in (ROASTERY, EAGER)]
        found += [_timed(case, COMPILED) for case in _compiled_order(chosen)]
    if "kernels" in stages:
        found += [_kernels(case) for case in chosen if case.trains]
    return [piece for piece in found if piece.contender not in without]


def _compiled_order(chosen: Sequence[Case]) -> list[Case]:
    return sorted(chosen, key=lambda case: case.net not in FIRST_COMPILED)


def _checks() -> Iterator[Piece]:
    for names in CHECKS:
        command = (sys.executable, "benchmarks/gpu_check.py", "--only", names)
        words = ("--skip-benchmarks", "--skip-tests")
        name = f"check-{names.replace(',', '-')}"
        yield Piece(name, "check", (*command, *words), _SECONDS["check"])


def _tests() -> Piece:
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "gpu", "tests/cuda")
    return Piece("check-tests", "check", (sys.executable, *words), _SECONDS["check"])


def _errors(case: Case) -> Piece:
    batch = min(case.batch, _MOST_DOUBLE)
    words = [sys.executable, "-m", "benchmarks.gpu_contest.errors", case.net, str(batch), "{file}"]
    return Piece(f"errors-{case.net}-b{batch}", "check", tuple(words), _SECONDS["check"], 2, case)


def _timed(case: Case, contender: str) -> Piece:
    words = [sys.executable, "-m", "benchmarks.gpu_contest.contender", contender, case.net]
    words += [str(case.batch), "training" if case.trains else "inference", case.precision, "{file}"]
    short = {ROASTERY: "roastery", EAGER: "eager", COMPILED: "compiled"}[contender]
    attempts = 3 if contender == COMPILED else 2
    name = f"time-{case.key}-{short}"
    return Piece(name, "time", tuple(words), _SECONDS[contender], attempts, case, contender)


def _kernels(case: Case) -> Piece:
    words = [sys.executable, "benchmarks/net_kernels.py", "--net", case.net, "--batch"]
    words += [str(case.batch), "--precision", case.precision, "--json", "{file}"]
    return Piece(f"kernels-{case.key}", "kernels", tuple(words), _SECONDS["kernels"], 2, case)
