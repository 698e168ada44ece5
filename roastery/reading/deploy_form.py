"""The form of a net that is deployed, made of the one it was trained with.

Whoever has no ``deploy.prototxt`` has the net with its data layers and losses. An Input takes the
place of the layer that reads pictures, what needs labels goes, and where a loss took scores stands
what makes probabilities of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from frontends.lowering.known_layers import layer_types
from frontends.prototxt import Message
from ir.errors import RoasteryError

from .deployed import PictureLayer, picture_layer


def deploy_form(
    net: Message, shapes: Mapping[str, Sequence[int]]
) -> tuple[Message, dict[str, Sequence[int]], str]:
    """The net, which of these shapes it still has, and what to tell of it.

    Args:
        shapes: of blobs; that of the pictures counts before what their layer says.

    Raises RoasteryError for a net that does not begin with one layer that reads pictures.
    """
    found = picture_layer(net)
    if found is None:
        raise RoasteryError(
            "no one layer of the net reads pictures, so that there is nothing to take out",
            hint="a net with Input layers is in the form that is deployed: leave --deploy out",
        )
    top, *others = found.layer.top
    if len(shape := tuple(shapes.get(top, ()))) == 4:
        found = replace(found, channels=shape[1], size=(shape[2], shape[3]))
    if found.size is None:
        raise RoasteryError(
            f"layer '{found.layer.name}' does not say how large pictures become",
            location=found.layer.location,
            hint=f"--shape {top}=1,{found.channels},HEIGHT,WIDTH does",
        )
    message, note = found.replaced(found.size)
    made = _probabilities(found, message)
    if made:
        message = message.replaced("layer", [*message.layer, *made])
        note += f"; probabilities are {', '.join(repr(layer.top[0]) for layer in made)}"
    return message, {name: s for name, s in shapes.items() if name not in others}, note


def _probabilities(found: PictureLayer, kept: Message) -> list[Message]:
    """Layers for the losses that are left out."""
    names = {layer.name for layer in kept.layer}
    blobs = {blob for layer in kept.layer for blob in layer.top}
    types = layer_types()
    losses = [
        layer
        for layer in found.net.layer
        if layer.type in types
        and types[layer.type].probabilities
        and layer.name not in names
        and layer.bottom
        and layer.bottom[0] in blobs
    ]
    made = []
    for loss in losses:
        wanted = "prob" if len(losses) == 1 else f"{loss.name}_prob"
        while wanted in names | blobs:
            wanted += "_"
        names.add(wanted)
        layer = Message("LayerParameter", loss.location)
        layer.set("name", wanted)
        layer.set("type", types[loss.type].probabilities)
        layer.add("bottom", loss.bottom[0])
        layer.add("top", wanted)
        if loss.has("softmax_param"):
            layer.copy_field(loss, "softmax_param")
        made.append(layer)
    return made
