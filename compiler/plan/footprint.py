"""What a plan needs of a device's memory, before anything is allocated."""

from __future__ import annotations

from dataclasses import dataclass

from ir.byte_size import byte_size
from ir.graph import Role

from .arena import aligned
from .plan import Plan

_VARIABLES = (Role.PARAMETER, Role.STATE, Role.HYPER)


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes, while the plan runs.

    Attributes:
        inside: of the arena: values between launches, and what launches of one group hand on.
        parameters: and other variables. diffs: of parameters. blobs: what goes in and out.
    """

    inside: int
    parameters: int
    diffs: int
    blobs: int

    @property
    def total(self) -> int:
        return self.inside + self.parameters + self.diffs + self.blobs

    def __str__(self) -> str:
        """For people."""
        named = {
            "values inside": self.inside,
            "parameters": self.parameters,
            "their diffs": self.diffs,
            "blobs": self.blobs,
        }
        return ", ".join(f"{name} {byte_size(n)}" for name, n in named.items() if n)


def footprint(plan: Plan) -> Footprint:
    """What running a plan needs. A buffer that several ports are bound to counts once."""
    roles: dict[int, Role] = {}
    for port in (*plan.outputs, *plan.inputs):  # a variable is what it is read as
        roles[port.buffer] = port.role
    sizes = {Role.GRADIENT: 0, Role.PARAMETER: 0, Role.DATA: 0}
    for number, role in roles.items():
        kind = Role.PARAMETER if role in _VARIABLES else role
        kind = kind if kind in sizes else Role.DATA
        sizes[kind] += aligned(plan.buffers[number].type.nbytes)
    return Footprint(
        plan.memory.nbytes, sizes[Role.PARAMETER], sizes[Role.GRADIENT], sizes[Role.DATA]
    )
