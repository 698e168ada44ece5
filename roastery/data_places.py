"""Errors of data sources point at the field that they are about, not at the whole layer.

``runtime`` knows a layer's place and its settings, but not where each of them stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from frontends.prototxt.message import Message
from ir.errors import RoasteryError
from ir.location import Location


def at_field(error: RoasteryError, layer: Message) -> RoasteryError:
    """The error, moved from the layer's place to the field that its message names.

    A message is about the first field whose name stands in it, else about the first whose value
    it quotes: "batch_size is 0", "database 'train_lmdb' does not exist".
    """
    if error.location is None or error.location != layer.location:
        return error
    fields = list(_fields(layer))
    found = [place for name, _, place in fields if re.search(rf"\b{name}\b", error.message)]
    found += [place for _, value, place in fields if value and f"'{value}'" in error.message]
    if not found:
        return error
    place = replace(found[0], layer=layer.name)
    return RoasteryError(error.message, location=place, hint=error.hint)


def _fields(layer: Message) -> Iterator[tuple[str, str, Location]]:
    """Name, text (if it is one) and place of every field of a layer's parameters."""
    for name in layer.fields_set():
        block = layer[name]
        if isinstance(block, Message):
            for inner in block.fields_set():
                value = block[inner]
                text = value if isinstance(value, str) else ""
                yield inner, text, block.location_of(inner)
            yield name, "", layer.location_of(name)
