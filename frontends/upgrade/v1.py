"""V1 layers (`layers { type: CONVOLUTION }`) to the current ones."""

from __future__ import annotations

from frontends.prototxt.message import Message
from frontends.prototxt.note import Note
from frontends.schema.caffe_legacy import V1_LAYER_TYPES
from ir.errors import RoasteryError

#: Fields of a V1 layer with one value per blob -> field of ParamSpec.
_PER_BLOB = {
    "param": "name",
    "blob_share_mode": "share_mode",
    "blobs_lr": "lr_mult",
    "weight_decay": "decay_mult",
}


def is_v1(net: Message) -> bool:
    """Whether the net has `layers`."""
    return bool(net.layers)


def upgrade(net: Message, notes: list[Note]) -> Message:
    """The net with every V1 layer replaced.

    Raises:
        RoasteryError: the net has current layers too.
    """
    if net.layer:
        raise RoasteryError(
            "the net has both `layers` (old) and `layer` (current) blocks",
            location=net.location_of("layer"),
            hint='write all of them as layer { type: "Convolution" ... }',
        )
    for old in net.layers:
        net.add("layer", _upgrade_layer(old, notes))
    notes.append(Note("V1 layers were upgraded", net.location_of("layers")))
    net.clear("layers")
    return net


def _upgrade_layer(old: Message, notes: list[Note]) -> Message:
    new = Message("LayerParameter", old.location)
    for field in old.fields_set():
        if field in _PER_BLOB:
            for index, value in enumerate(old[field]):
                while len(new.param) <= index:
                    new.add("param", None, old.location_of(field, index))
                new.param[index].set(_PER_BLOB[field], value, old.location_of(field, index))
        elif field == "type":
            new.set("type", V1_LAYER_TYPES[old.type], old.location_of("type"))
        elif field == "layer":
            notes.append(
                Note("a V0 layer inside a V1 layer is ignored", old.location_of(field), "error")
            )
        else:
            new.copy_field(old, field)
    return new
