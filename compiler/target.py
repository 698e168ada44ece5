"""What a device is, as far as the compiler decides by it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """A device.

    Attributes:
        kind: ``cuda`` or ``cpu``.
        capability: of a GPU: 10 * major + minor; 0 for others.
        processors: how many programs run side by side at least: multiprocessors, cores.
    """

    kind: str
    capability: int = 0
    processors: int = 1


GENERIC = Target("cuda", 80, processors=128)
"""A GPU of which nothing more is known: what kernels are printed for where there is none."""
