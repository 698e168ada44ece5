"""Refuse nets that no memory of this machine can hold, and name the layer that is to blame."""

from __future__ import annotations

from ir.byte_size import byte_size
from ir.errors import RoasteryError
from ir.location import Location
from ir.program import NetProgram
from ir.types import TensorType, shape_text

from .memory import physical_memory


def check_memory(program: NetProgram) -> None:
    """Raises RoasteryError where one tensor, or all parameters, need more than the machine has.

    A net that passes may still be too large: how much it needs at once is known when it is
    planned. What this finds is the slip of a finger, before anything is allocated.
    """
    limit = physical_memory()
    parameters = 0
    for variable in program.variables.values():
        parameters += variable.type.nbytes
        what = f"param {variable.index} of layer '{variable.layer}'"
        _check(what, variable.type, variable.location, limit)
        if parameters > limit:
            raise RoasteryError(
                f"the parameters up to layer '{variable.layer}' need {byte_size(parameters)}; this "
                f"machine has {byte_size(limit)} of memory",
                location=variable.location,
            )
    for layer in program.layers:
        for name, value in zip(layer.tops, layer.top_values, strict=False):
            _check(f"top '{name}'", value.type, layer.location, limit)
        for node in program.graph.nodes[layer.first : layer.last]:
            for value in node.outputs:
                _check("what this layer computes", value.type, layer.location, limit)


def _check(what: str, type: TensorType, location: Location, limit: int) -> None:
    if type.nbytes > limit:
        raise RoasteryError(
            f"{what} is {shape_text(type.shape)} = {type.size} elements, {byte_size(type.nbytes)}; "
            f"this machine has {byte_size(limit)} of memory",
            location=location,
            hint="check the shapes, or use a smaller batch",
        )
