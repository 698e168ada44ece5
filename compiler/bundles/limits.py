"""How large bundles get. No figure here depends on the device at hand."""

from __future__ import annotations

from compiler.plan.plan import Plan
from compiler.target import KiB, MiB
from ir.graph import Role

WORTH = 8 * MiB
"""Bytes. What a kernel leaves in memory for a while is written there and read back, where a cache
would have held it: a launch, with all that a small kernel waits for, costs as much as so many."""
MOST_HELD = 64 * MiB
"""Bytes that a bundle keeps at one time for its readers, or its parts for the bundle."""
LEAST_HELD = 4 * MiB
SMALLEST = 4 * KiB
"""Bytes held, below which bundles are given up where they would take too much memory."""
MOST_COMPLETED = 8 * MiB
"""Bytes of diffs of parameters that may become complete while one of a bundle waits for the last:
ranks that train together send them meanwhile, in order, and what waits holds up what is behind."""
MOST_PARTS = 32
MOST_ARGUMENTS = 384
"""The driver takes 4 KiB; a pointer has 8 bytes."""


def most_held(plan: Plan) -> int:
    """By a bundle of a plan: half as much as its parameters have, of any batch.

    Training holds them, their diffs and what the solver keeps of them: a sixth of that, at most.
    """
    held = {p.buffer for p in plan.inputs if p.role is Role.PARAMETER}
    sizes = (plan.buffers[number].type.nbytes for number in held)
    constant = sum(size for size in sizes if isinstance(size, int))
    return max(LEAST_HELD, min(MOST_HELD, constant // 2))


def more_memory(peak: int) -> int:
    """Bytes by which bundles may let grow what a plan needs at one time."""
    return max(LEAST_HELD, peak // 32)
