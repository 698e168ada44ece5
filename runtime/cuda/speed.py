"""What a GPU can do at most, by what its driver says of it."""

from __future__ import annotations

from dataclasses import dataclass

from ir.expr import Expr

from .driver import DeviceProperties

# Units for float32 of a multiprocessor. Source: CUDA C++ Programming Guide, "Throughput of Native
# Arithmetic Instructions".
_UNITS = ((86, 128), (80, 64), (75, 64))


@dataclass(frozen=True, slots=True)
class RatedSpeed:
    """At the highest clock rates; see :class:`runtime.backends.speed.Speed`."""

    operations: float
    copied: float

    def bytes_copied(self, nbytes: int) -> float:
        return self.copied

    def steps(self, value: Expr) -> int:
        return 0  # it has units of their own for functions

    def now(self) -> RatedSpeed:
        return self


def rated_speed(device: DeviceProperties) -> RatedSpeed:
    """Without matrix units. Newer drivers tell no clock rates: then it is not known."""
    said = device.attributes
    units = next((units for least, units in _UNITS if device.capability >= least), 0)
    return RatedSpeed(
        2.0 * units * said["multiprocessors"] * said["clock_rate"] * 1e3,
        2.0 * said["memory_bus_width"] / 8 * said["memory_clock_rate"] * 1e3,
    )
