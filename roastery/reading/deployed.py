"""A net that reads pictures and their labels from files, as it is deployed.

Published nets for inference may begin with the data layer that they were tested with (SegNet's
with DenseImageData, SSD's with AnnotatedData). An Input takes its place; what needs labels goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from frontends.caffemodel import LayerWeights
from frontends.lowering.known_layers import layer_types
from frontends.lowering.layer_type import LayerType
from frontends.prototxt import Message
from frontends.state_rules import filtered
from ir.errors import RoasteryError

from .nets import net_state
from .unpooled_size import unpooled_size

_TRANSFORM = "transform_param"
_SHOWN = 5


@dataclass(frozen=True)
class PictureLayer:
    """The data layer with which a net begins, and what it says of the pictures that it reads.

    Attributes:
        net: with the layers of phase TEST.
        layer: of it; its first top are pictures.
        channels: of pictures. told: whether the layer says so; else it is a guess.
        size: (height, width); None: as large as they are.
        mean: a value, or one for each channel; empty: nothing is subtracted. scale: what values
            are multiplied by after that.
    """

    net: Message
    layer: Message
    channels: int
    size: tuple[int, int] | None
    mean: tuple[float, ...]
    scale: float | None
    told: bool = True

    def with_weights(self, weights: Iterable[LayerWeights]) -> PictureLayer:
        """With the channels that the first filters take, where the layer does not say it."""
        if self.told:
            return self
        shapes = {layer.name: layer.blobs[0].shape for layer in weights if layer.blobs}
        for layer in self.net.layer:
            shape = shapes.get(layer.name, ())
            if layer is not self.layer and len(shape) == 4:
                return replace(self, channels=shape[1] * _groups(layer), told=True)
        return self

    def replaced(self, size: tuple[int, int]) -> tuple[Message, str]:
        """The net with an Input for one picture of this size, and what to tell of it.

        Without the other tops of the layer, what reads them, and what writes files.
        """
        top = self.layer.top[0]
        missing = set(self.layer.top[1:])
        kept, gone = [self._input(size)], []
        for layer in self.net.layer:
            if layer is self.layer:
                continue
            if missing.intersection(layer.bottom) or _writes(layer):
                gone.append(layer.name)
                missing |= set(layer.top) - {blob for each in kept for blob in each.top}
            else:
                kept.append(layer)
        return self.net.replaced("layer", kept), self._note(top, size, gone)

    def _input(self, size: tuple[int, int]) -> Message:
        made = Message("LayerParameter", self.layer.location)
        made.set("name", self.layer.name)
        made.set("type", "Input")
        made.add("top", self.layer.top[0])
        shape = made.mutable("input_param").add("shape")
        shape.set("dim", [1, self.channels, *size])
        return made

    def _note(self, top: str, size: tuple[int, int], gone: list[str]) -> str:
        height, width = size
        text = (
            f"layer '{self.layer.name}' ({self.layer.type}) reads files; here '{top}' is the "
            f"picture, 1 x {self.channels} x {height} x {width}"
        )
        if gone:
            names = ", ".join(f"'{name}'" for name in gone[:_SHOWN])
            more = f" and {len(gone) - _SHOWN} more" if len(gone) > _SHOWN else ""
            text += f", and what reads labels or writes files is left out: {names}{more}"
        return text


def picture_layer(net: Message) -> PictureLayer | None:
    """The one layer of a net's phase TEST that reads pictures.

    None for a net with inputs, and where no layer, or not one alone, reads pictures.
    """
    types = layer_types()
    tested = filtered(net, net_state(net, "TEST"))
    known = [(layer, types[layer.type]) for layer in tested.layer if layer.type in types]
    if any(kind.fed for _, kind in known):
        return None
    sources = [(layer, kind) for layer, kind in known if kind.source]
    if len(sources) != 1:
        return None
    ((layer, kind),) = sources
    if not kind.param or _TRANSFORM not in kind.also or not layer.top:
        return None
    transform = layer.transform_param
    scale = float(transform.scale) if transform.has("scale") else None
    mean = tuple(map(float, transform.mean_value))
    size = _size(layer, kind) or unpooled_size(tested, layer.top[0])
    channels = _channels(layer, kind)
    return PictureLayer(tested, layer, channels or 3, size, mean, scale, bool(channels))


def _channels(layer: Message, kind: LayerType) -> int:
    """0 where the layer does not say it: records of a database have what they have."""
    transform = layer.transform_param
    own = layer[kind.param]
    if _number(transform, "force_color"):
        return 3
    gray = _number(transform, "force_gray") or ("is_color" in _names(own) and not own.is_color)
    colored = 3 if "is_color" in _names(own) else 0
    return _number(own, "channels") or (1 if gray else colored)


def _groups(layer: Message) -> int:
    """Into how many parts the channels of a layer's filters are cut."""
    kind = layer_types().get(layer.type)
    if kind is None or not kind.param:
        return 1
    own = layer[kind.param]
    return max(1, _number(own, "group"))


def _size(layer: Message, kind: LayerType) -> tuple[int, int] | None:
    """What pictures become in the end: cropped, else resized."""
    own, transform = layer[kind.param], layer.transform_param
    if side := _number(transform, "crop_size"):
        return side, side
    resize = transform.resize_param if "resize_param" in _names(transform) else None
    if isinstance(resize, list):
        resize = resize[0] if resize else None
    if resize is not None and resize.resize_mode == "FIT_SMALL_SIZE":
        resize = None  # the longer side is the picture's
    places = (
        (own, "crop_height", "crop_width"),
        (transform, "crop_h", "crop_w"),
        (resize, "height", "width"),
        (own, "new_height", "new_width"),
        (own, "height", "width"),
    )
    for message, high, wide in places:
        if message is not None:
            height, width = _number(message, high), _number(message, wide)
            if height > 0 and width > 0:
                return height, width
    return None


def _names(message: Message) -> set[str]:
    return set(message.message_type.fields)


def _number(message: Message, field: str) -> int:
    """0 where the message cannot have the field."""
    return int(message[field]) if field in _names(message) else 0


def _writes(layer: Message) -> bool:
    """Whether all that a layer does is on the host, or unknown: it writes a file, or so."""
    kind = layer_types().get(layer.type)
    return not layer.top and (kind is None or kind.host)


def no_input(net: Message, model: str) -> RoasteryError:
    """What to say of a net that pictures cannot be put into."""
    return RoasteryError(
        f"'{model}' has no Input layer to put pictures into",
        hint=f"a deploy prototxt is wanted, without data layers{_instead(net)}",
    )


def _instead(message: Message) -> str:
    """What to write in the place of a net's data layer."""
    first = next((m for m in message.layer if m.top and not m.bottom), None)
    if first is None:
        return ""
    shape = "shape { dim: 1 dim: 3 dim: HEIGHT dim: WIDTH }"
    return (
        f"; in the place of layer '{first.name}': "
        f'layer {{ name: "{first.name}" type: "Input" top: "{first.top[0]}" '
        f"input_param {{ {shape} }} }}"
    )
