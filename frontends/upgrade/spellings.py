"""Types of Caffe's layers as MyCaffe spells them, which takes them in any case."""

from __future__ import annotations

from frontends.prototxt.message import Message
from frontends.prototxt.note import Note

_SPELLED = {"Lstm": "LSTM", "Rnn": "RNN"}


def _is_spelled(layer: Message) -> bool:
    """A layer of the user's own may be called like this, but has parameters of its own."""
    return layer.type in _SPELLED and bool(layer.has("recurrent_param"))


def has_other_spellings(net: Message) -> bool:
    """Whether a layer's type is spelled as in MyCaffe."""
    return any(map(_is_spelled, net.layer))


def spell_as_caffe(net: Message, notes: list[Note]) -> Message:
    """Give such layers Caffe's names."""
    for layer in net.layer:
        if _is_spelled(layer):
            place, old = layer.location_of("type"), layer.type
            layer.set("type", _SPELLED[old], place)
            notes.append(Note(f'type: "{old}" is read as "{layer.type}"', place))
    return net
