"""The size of pictures that a net is for, where Upsample layers say what they make.

SegNet's nets write the size of a map that was pooled (`upsample_h`, `upsample_w`), since halving
does not tell whether it was odd; so they take pictures of one size.
"""

from __future__ import annotations

from collections.abc import Mapping

from frontends.lowering.known_layers import layer_types
from frontends.prototxt import Message


def unpooled_size(net: Message, picture: str) -> tuple[int, int] | None:
    """(height, width), by the Upsample nearest to the picture that says a size; None: none does.

    Args:
        net: its layers are those that run.
        picture: the blob that holds it.
    """
    # Layers that write over their bottom have no part in it.
    makers = {
        top: layer for layer in net.layer for top in layer.top if top not in set(layer.bottom)
    }
    sizes: dict[int, tuple[int, int]] = {}
    for layer in net.layer:
        said = layer.upsample_param
        if not (said.has("upsample_h") and said.has("upsample_w")):
            continue
        pooling = makers.get(layer.bottom[1]) if len(layer.bottom) > 1 else None
        if pooling is None or not pooling.bottom:
            continue
        factor = _shrinking(pooling.bottom[0], picture, makers)
        if factor is not None:
            sizes.setdefault(factor, (said.upsample_h * factor, said.upsample_w * factor))
    return sizes[min(sizes)] if sizes else None


def _shrinking(blob: str, picture: str, makers: Mapping[str, Message]) -> int | None:
    """How many times smaller a map is than the picture that it is made of; None: it is not."""
    factor = 1
    for _ in range(len(makers) + 1):  # a file may hold circles
        if blob == picture:
            return factor
        maker = makers.get(blob)
        if maker is None or not maker.bottom:
            return None
        kind = layer_types().get(maker.type)
        if kind is not None and kind.coordinates == "windows":
            factor *= _stride(maker[kind.param])
        blob = maker.bottom[0]
    return None


def _stride(windows: Message) -> int:
    if "stride" not in windows.message_type.fields:
        return 1
    stride = windows.stride
    return int((stride[0] if stride else 1) if isinstance(stride, list) else stride)
