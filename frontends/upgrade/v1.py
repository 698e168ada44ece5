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


def is_mixed(net: Message) -> bool:
    """Whether the net has both `layers` and `layer`, which Caffe refuses and MyCaffe reads in the
    order in which they stand (MyCaffe: MyCaffe/param/NetParameter.cs)."""
    return bool(net.layers and net.layer)


def refuse_mixed(net: Message) -> None:
    """Raises RoasteryError for a net that has current layers too."""
    if is_mixed(net):
        raise RoasteryError(
            "the net has both `layers` (old) and `layer` (current) blocks",
            location=net.location_of("layer"),
            hint='write all of them as layer { type: "Convolution" ... }',
        )


def upgrade(net: Message, notes: list[Note]) -> Message:
    """The net with every V1 layer replaced, all layers in the order of the file.

    Raises:
        RoasteryError: there are current layers too, and no file says in which order they stand.
    """
    current = net.layer
    if current:
        places = [layer.location for layer in [*net.layers, *current]]
        if not all(place.line for place in places) or len({p.file for p in places}) > 1:
            refuse_mixed(net)
        notes.append(
            Note(
                f"{len(net.layers)} `layers` (old) and {len(current)} `layer` (current) blocks are "
                "read in the order in which they stand; Caffe refuses such a net",
                net.location_of("layer"),
                "warning",
            )
        )
    upgraded = [*current, *(_upgrade_layer(old, notes) for old in net.layers)]
    if current:
        upgraded.sort(key=lambda layer: (layer.location.line, layer.location.column))
        net.clear("layer")
    for layer in upgraded:
        net.add("layer", layer)
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
