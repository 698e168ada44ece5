"""What MyCaffe spells otherwise: types of layers in any case, a block, and what is not set as a
value."""

from __future__ import annotations

from frontends.prototxt.message import Message
from frontends.prototxt.note import Note

_SPELLED = {"Lstm": "LSTM", "Rnn": "RNN"}
_UNSET = "NONE"
"""A type of annotation that is none: the records tell theirs
(MyCaffe: MyCaffe.layers.ssd/layers.ssd/AnnotatedDataLayer.cs)."""


def _is_spelled(layer: Message) -> bool:
    """A layer of the user's own may be called like this, but has parameters of its own."""
    return layer.type in _SPELLED and bool(layer.has("recurrent_param"))


def _has_unset(layer: Message) -> bool:
    return bool(layer.annotated_data_param.get("anno_type") == _UNSET)


def _has_other_block(layer: Message) -> bool:
    return bool(layer.has("multiboxloss_param") and not layer.has("multibox_loss_param"))


def has_other_spellings(net: Message) -> bool:
    """Whether a layer is spelled as in MyCaffe."""
    return any(_is_spelled(x) or _has_unset(x) or _has_other_block(x) for x in net.layer)


def spell_as_caffe(net: Message, notes: list[Note]) -> Message:
    """Spell such layers as Caffe does."""
    for layer in net.layer:
        if _is_spelled(layer):
            place, old = layer.location_of("type"), layer.type
            layer.set("type", _SPELLED[old], place)
            notes.append(Note(f'type: "{old}" is read as "{layer.type}"', place))
        if _has_unset(layer):
            param = layer.annotated_data_param
            notes.append(Note(f"anno_type: {_UNSET} sets nothing", param.location_of("anno_type")))
            param.clear("anno_type")
        if _has_other_block(layer):
            place = layer.location_of("multiboxloss_param")
            layer.copy_field(layer, "multiboxloss_param", "multibox_loss_param")
            layer.clear("multiboxloss_param")
            notes.append(Note("multiboxloss_param is read as multibox_loss_param", place))
    return net
