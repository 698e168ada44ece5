"""What is measured: nets at a batch size, in inference or training, in a precision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.predicted.nets import BATCHES, NETS, TITLES
from compiler.precision import BFLOAT16, FLOAT32, TF32

PRECISIONS = (FLOAT32, TF32, BFLOAT16)
"""Roastery's; each meets PyTorch in its own: float32 without tf32, tf32, autocast to bfloat16."""

ROASTERY, EAGER, COMPILED = "Roastery", "PyTorch eager", "torch.compile"
CONTENDERS = (ROASTERY, EAGER, COMPILED)
FIRST_COMPILED = ("resnet50", "mobilenet")
"""Nets that torch.compile gets first: max-autotune takes minutes for each."""


@dataclass(frozen=True, slots=True)
class Case:
    """One net. ``trains``: forward, backward and update; else forward of a net that is frozen."""

    net: str
    batch: int
    trains: bool
    precision: str = FLOAT32

    @property
    def key(self) -> str:
        """For file names."""
        kind = "training" if self.trains else "inference"
        return f"{self.net}-b{self.batch}-{kind}-{self.precision}"

    @property
    def title(self) -> str:
        return f"{TITLES[self.net]} b{self.batch}{' training' if self.trains else ''}"


def cases() -> Iterator[Case]:
    """All of them, the nets that are measured first in front."""
    for net in (*FIRST_COMPILED, *(name for name in NETS if name not in FIRST_COMPILED)):
        batch = BATCHES[net]
        for size, trains in ((1, False), (batch, False), (batch, True)):
            for precision in PRECISIONS:
                yield Case(net, size, trains, precision)
