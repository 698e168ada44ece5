"""Which blobs ``--shape`` can give a shape to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from frontends.lowering.known_layers import layer_types
from frontends.lowering.layer_type import LayerType
from frontends.prototxt.message import Message
from frontends.prototxt.suggestions import did_you_mean
from ir.errors import RoasteryError

Shape = tuple[int, ...]

_MOST_AXES = 32
_NAMED = 20


def check_shape_names(layers: Iterable[Message], shapes: Mapping[str, Shape]) -> None:
    """Refuse shapes for what is no input of the net, no data, and no top of a Python
    layer or of a net in another file.

    Args:
        layers: of the net in the state it is lowered in.

    Raises:
        RoasteryError: with the name that was probably meant.
    """
    layers = list(layers)
    kinds = layer_types()
    free = [
        top
        for layer in layers
        for top in layer.top
        if top not in layer.bottom and layer.type in kinds and _free(kinds[layer.type])
    ]
    for name, shape in shapes.items():
        if name not in free:
            raise _unknown(name, layers, list(dict.fromkeys(free)))
        if len(shape) > _MOST_AXES:
            raise RoasteryError(
                f"--shape gives '{name}' {len(shape)} axes; a blob has at most {_MOST_AXES}"
            )


def _free(kind: LayerType) -> bool:
    """Whether the shapes of its tops come from outside the net."""
    return kind.fed or kind.source or kind.user_code or kind.deployed


def _unknown(name: str, layers: list[Message], free: list[str]) -> RoasteryError:
    maker = next((layer for layer in layers if name in layer.top), None)
    listed = ", ".join(free[:_NAMED]) + (" ..." if len(free) > _NAMED else "")
    can = f"shapes can be given for: {listed}" if free else "no blob of this net can have one"
    if maker is not None:
        return RoasteryError(
            f"--shape={name}=...: '{name}' gets its shape from layer '{maker.name}' "
            f"({maker.type}), which computes it",
            location=maker.location,
            hint=can,
        )
    near = did_you_mean(name, free)
    return RoasteryError(
        f"--shape={name}=...: the net has no blob '{name}' in this phase",
        hint=(f"did you mean '{near}'? " if near else "") + can,
    )
