"""The net of a command that runs on pictures, without the data layer that it may begin with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .command import Arguments
from .say import say_note

if TYPE_CHECKING:
    from frontends.prototxt import Message


def input_channels(model: str) -> int:
    """How many channels a deploy net's first input has."""
    from ..reading import nets

    return _input_channels(nets.read_net(model), model)


def _input_channels(net: Message, model: str) -> int:
    from frontends.lowering.known_layers import layer_types

    from ..reading.deployed import no_input

    for layer in net.layer:
        kind = layer_types().get(layer.type)
        if kind is not None and kind.fed and layer.input_param.shape:
            dims = layer.input_param.shape[0].dim
            return int(dims[1]) if len(dims) > 1 else 1
    raise no_input(net, model)


@dataclass(frozen=True)
class PictureNet:
    """What pictures are put into.

    Attributes:
        message: the net; None: as it is in its file.
        channels: of pictures.
        any_size: every picture at its own size, since the net says none.
        mean, scale: what its data layer says, as in transform_param.
    """

    message: Message | None
    channels: int
    any_size: bool = False
    mean: tuple[float, ...] = ()
    scale: float | None = None


def picture_net(
    arguments: Arguments,
    first: Path,
    size: Sequence[int] | None,
    *,
    any_size: bool,
    flag: str = "size",
    cropped: bool = False,
) -> PictureNet:
    """The net of a command that runs on pictures; where it begins with a layer that reads files,
    they take its place, and a note says so.

    Args:
        first: a picture. size: that pictures are scaled to, where the user says it.
        any_size: whether pictures may stay as large as they are.
        flag: with which the user says the size.
        cropped: whether a size that the layer says counts more, since pictures are cropped to it.
    """
    from frontends.caffemodel.weights import read_lent_weights
    from ir.errors import RoasteryError

    from ..caffe.io import load_image
    from ..reading import nets
    from ..reading.deployed import picture_layer

    net = nets.read_net(arguments.model)
    found = picture_layer(net)
    if found is None:
        return PictureNet(None, _input_channels(net, arguments.model))
    if not found.told:
        found = found.with_weights(read_lent_weights(arguments.weights)[0])
    chosen = tuple(size) if size is not None else found.size
    if cropped and found.size is not None:
        chosen = found.size
    if chosen is None:
        if not any_size:
            raise RoasteryError(
                f"layer '{found.layer.name}' does not say how large pictures become",
                location=found.layer.location,
                hint=f"--{flag}=HEIGHT,WIDTH does",
            )
        height, width = load_image(first).shape[:2]
    else:
        height, width = chosen
    message, note = found.replaced((height, width))
    if chosen is None:
        note += f"; that is the size of '{first}', --size=HEIGHT,WIDTH gives another"
    given = {"mean_value", "mean_file", "input_scale"} & arguments.given
    if found.mean and not given:
        note += f"; its mean {', '.join(f'{value:g}' for value in found.mean)} is subtracted"
    elif found.layer.transform_param.has("mean_file") and not given:
        note += "; nothing is subtracted: --mean_file would be its mean"
    if found.scale is not None and not given:
        note += f", and values are multiplied by its scale {found.scale:g}"
    say_note(note)
    told = ((), None) if given else (found.mean, found.scale)
    return PictureNet(message, found.channels, chosen is None, *told)
