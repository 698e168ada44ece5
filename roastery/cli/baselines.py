"""The CPUs that code is made for, as flags name them."""

from __future__ import annotations

from compiler.instructions import INSTRUCTIONS

BASELINES = ", ".join(instructions.shown for instructions in INSTRUCTIONS)
