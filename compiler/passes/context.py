"""What a pass is given besides the graph."""

from __future__ import annotations

from dataclasses import dataclass, field

from compiler.options import CompileOptions

from .fuel import Fuel


@dataclass(frozen=True, slots=True)
class PassContext:
    """One run of the pipeline: what was asked for, and how many rewrites are left."""

    options: CompileOptions = field(default_factory=CompileOptions)
    fuel: Fuel = field(default_factory=Fuel)


UNBOUNDED = PassContext()
"""Default options and every rewrite: for passes that are called by themselves."""
