"""Blocks that MyCaffe writes though they may not count: `nms_param { option { active: .. } }`."""

from __future__ import annotations

from frontends.prototxt.message import Message
from frontends.prototxt.note import Note

_OPTION = "option"
_FREE = ("mask_param", "label_mapping")
"""Of those that are known by name only, the ones that have it."""
_ALWAYS = {("DetectionOutputParameter", "nms_param")}
"""What counts all the same (MyCaffe: MyCaffe.layers.ssd/layers.ssd/DetectionOutputLayer.cs)."""


def _optional(message: Message) -> list[str]:
    """The blocks of a message that say whether they count."""
    found = []
    for name in message.fields_set():
        value = message[name]
        if isinstance(value, Message) and (not value.message_type.free or name in _FREE):
            fields = value.message_type.fields
            if (value.message_type.free or _OPTION in fields) and value.has(_OPTION):
                found.append(name)
    return found


def has_optional_blocks(net: Message) -> bool:
    """Whether a block says that it counts, or that it does not."""
    return any(_optional(message) for layer in net.layer for message in layer.walk())


def settle_optional_blocks(net: Message, notes: list[Note]) -> Message:
    """Leave those out that do not count, and what says so in the others."""
    first, left = None, 0
    for layer in net.layer:
        for message in list(layer.walk()):
            for name in _optional(message):
                block = message[name]
                option = block[_OPTION]
                # In a block that is known by name only a flag may be a word.
                active = isinstance(option, Message) and str(option.get("active")).lower() == "true"
                if active or (message.message_type.name, name) in _ALWAYS:
                    block.clear(_OPTION)
                else:
                    first = first or block.location_of(_OPTION)
                    message.clear(name)
                    left += 1
    if left:
        told = f"{left} block(s) that are not active were left out, as in MyCaffe"
        notes.append(Note(told, first))
    return net
