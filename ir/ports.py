"""What a graph's inputs and outputs are to the runtime, which needs no graph to know."""

from __future__ import annotations

import enum
from typing import NamedTuple


class Role(enum.Enum):
    """What a graph's input or output is to the runtime."""

    DATA = "data"  # a blob fed by the caller or a data source
    PARAMETER = "parameter"  # a learnable variable of the parameter store
    STATE = "state"  # a variable that forward also writes: BatchNorm sums, random counter, h_T
    SEED = "seed"  # the diff of a net output, given to backward
    GRADIENT = "gradient"  # the diff of a variable, which backward writes or adds to
    HYPER = "hyper"  # a number that changes per iteration: learning rate, clip scale
    RESULT = "result"  # a blob the caller reads
    SAVED = "saved"  # an internal value that outlives the run (forward -> backward)


class PortKey(NamedTuple):
    """What tells a port from the others on its side of a graph."""

    role: Role
    name: str

    def __str__(self) -> str:
        return f"{self.role.value} {self.name}"


WRITES = {
    Role.STATE: (Role.STATE, Role.PARAMETER),
    Role.GRADIENT: (Role.GRADIENT,),
}
"""Role of an output that writes a variable -> roles of the input that is the variable, before."""
