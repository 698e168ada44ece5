"""V1's learning rates in a layer of the current format: `layer { blobs_lr: 1 weight_decay: 0 }`.

Caffe's text parser refuses them there. Nets that were half converted by hand have them all the
same, and they can mean but one thing: one value for each blob, as in V1.
"""

from __future__ import annotations

from dataclasses import replace

from frontends.prototxt.message import Message
from frontends.prototxt.note import Note
from ir.errors import RoasteryError
from ir.location import Location

_MEANING = {"blobs_lr": "lr_mult", "weight_decay": "decay_mult"}


def has_leftover_rates(net: Message) -> bool:
    """Whether a layer of the current format has rates of V1."""
    return any(layer.has(old) for layer in net.layer for old in _MEANING)


def move_leftover_rates(net: Message, notes: list[Note]) -> Message:
    """Move the rates of every layer to its `param` blocks.

    Raises:
        RoasteryError: a layer says something else in its `param` blocks.
    """
    first: Location | None = None
    moved = 0
    for layer in net.layer:
        found = [old for old in _MEANING if layer.has(old)]
        for old in found:
            first = first or layer.location_of(old)
            _move(layer, old, _MEANING[old])
        moved += bool(found)
    notes.append(
        Note(
            f"blobs_lr and weight_decay of {moved} layer(s), which are V1's, were read as "
            "param { lr_mult: ... decay_mult: ... }",
            first,
        )
    )
    return net


def _move(layer: Message, old: str, new: str) -> None:
    for index, value in enumerate(layer[old]):
        place = layer.location_of(old, index)
        while len(layer.param) <= index:
            layer.add("param", None, place)
        spec = layer.param[index]
        if spec.has(new) and spec[new] != value:
            raise RoasteryError(
                f"`{old}: {value:g}` and `{new}: {spec[new]:g}` of `param` number {index + 1} "
                "are two values for one blob",
                location=replace(place, layer=layer.name),
                hint=f"keep `{new}`; `{old}` is its name in old nets",
            )
        spec.set(new, value, place)
    layer.clear(old)
