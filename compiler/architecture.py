"""GPU generations: what machine code is made for, and where it runs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ir.errors import RoasteryError

from .precision import BFLOAT16, FLOAT16, FLOAT32, IEEE, TF32

OLDEST = 75
TOO_OLD = (
    "Roastery compiles for sm_75 (Turing) and newer; neither CUDA 13 nor Triton supports what "
    "was before"
)
_TENSOR_FLOAT = 80  # Ampere; older ones have no bfloat16 either, and Triton multiplies float32
# there without matrix units.


@dataclass(frozen=True, slots=True)
class Architecture:
    """A GPU generation, spelled ``cuda:sm_90``: all of a device that machine code depends on."""

    capability: int  # 10 * major + minor

    def __str__(self) -> str:
        return f"cuda:sm_{self.capability}"

    @property
    def too_old(self) -> bool:
        return self.capability < OLDEST

    @property
    def portable(self) -> bool:
        """Whether its PTX runs on newer GPUs. From sm_90 on, Triton uses instructions of one
        generation alone (sm_90a)."""
        return self.capability < 90

    @property
    def precisions(self) -> tuple[str, ...]:
        """Those that it has instructions for."""
        if self.capability >= _TENSOR_FLOAT:
            return (FLOAT32, TF32, BFLOAT16, FLOAT16, IEEE)
        return (FLOAT32, FLOAT16, IEEE)

    @staticmethod
    def parse(text: str) -> Architecture:
        """Inverse of ``str``. Raises :class:`RoasteryError` for anything else."""
        match = re.fullmatch(r"cuda:sm_(\d{2,3})", text)
        if match is None:
            raise RoasteryError(
                f"unknown target {text!r}",
                hint="targets are spelled cuda:sm_75 (the oldest), cuda:sm_80, cuda:sm_90, ...",
            )
        found = Architecture(int(match[1]))
        if found.too_old:
            raise RoasteryError(f"target {text} is too old: {TOO_OLD}")
        return found
