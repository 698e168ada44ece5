"""All upgrades of a net, in Caffe's order."""

from __future__ import annotations

from collections.abc import Callable

from frontends.prototxt.message import Message
from frontends.prototxt.note import Note
from ir.errors import RoasteryError

from . import data_transform, v0, v1
from .leftover_rates import has_leftover_rates, move_leftover_rates
from .optional_blocks import has_optional_blocks, settle_optional_blocks
from .spellings import has_other_spellings, spell_as_caffe

_BATCH_NORM_BLOBS = 3
_WITH_SCALE_AND_SHIFT = 5


def net_needs_upgrade(net: Message) -> bool:
    """Whether any part of the net is in an older format."""
    return any(needed(net) for needed, _ in _UPGRADES)


def upgrade_net(net: Message, *, mixed: bool = False) -> tuple[Message, list[Note]]:
    """The net in the current format; every field keeps the place it came from.

    Args:
        mixed: take V1 layers among current ones, in the order of the file. Caffe refuses them.

    Returns:
        A new message (the argument stays as it is) and what was changed. A note of level
        "error" names something that could not be carried over.

    Raises:
        RoasteryError: old and new layers are mixed and may not be, a V0 layer has an unknown
            type, a padding layer feeds something other than a convolution or pooling, or an
            input has no shape.
    """
    if not mixed or v0.is_v0(net):
        v1.refuse_mixed(net)
    result = net.copy()
    notes: list[Note] = []
    for needed, upgrade in _UPGRADES:
        if needed(result):
            result = upgrade(result, notes)
    return result, notes


def _has_input_fields(net: Message) -> bool:
    return bool(net.input)


def _upgrade_input(net: Message, notes: list[Note]) -> Message:
    """`input`, `input_shape` and `input_dim` of a net to an Input layer in front."""
    names, shapes, dims = net.input, net.input_shape, net.input_dim
    place = net.location_of("input")
    if shapes or dims:
        given = len(shapes) if shapes else len(dims) // 4
        if given < len(names) or (not shapes and len(dims) != 4 * len(names)):
            stated = f"{len(shapes)} input_shape" if shapes else f"{len(dims)} input_dim"
            wanted = len(names) if shapes else 4 * len(names)
            raise RoasteryError(
                f"{len(names)} inputs need {wanted}, but the net gives {stated}",
                location=place,
                hint="each input takes one input_shape block, or four input_dim",
            )
        layer = Message("LayerParameter", place)
        layer.set("name", "input")
        layer.set("type", "Input")
        parameter = layer.mutable("input_param", place)
        for index, name in enumerate(names):
            layer.add("top", name, net.location_of("input", index))
            if shapes:
                parameter.add("shape", shapes[index], net.location_of("input_shape", index))
            else:
                shape = parameter.add("shape", None, net.location_of("input_dim", 4 * index))
                for axis in range(4 * index, 4 * index + 4):
                    shape.add("dim", dims[axis], net.location_of("input_dim", axis))
        others = net.layer
        net.clear("layer")
        for each in [layer, *others]:
            net.add("layer", each)
        notes.append(Note("the input fields were made an Input layer", place))
    else:
        notes.append(Note("input names without shapes were dropped", place))
    for field in ("input", "input_shape", "input_dim"):
        net.clear(field)
    return net


def _is_old_batch_norm(layer: Message) -> bool:
    specs = layer.param
    of_all = len(specs) in (_BATCH_NORM_BLOBS, _WITH_SCALE_AND_SHIFT)
    return (
        layer.type == "BatchNorm"
        # NVCaffe sets them whatever is given.
        and (of_all or layer.batch_norm_param.scale_bias or _has_scale_filler(layer))
        and any(s.lr_mult != 0 or s.decay_mult != 0 for s in specs[:_BATCH_NORM_BLOBS])
    )


def _has_scale_filler(layer: Message) -> bool:
    return bool(layer.batch_norm_param.has("scale_filler"))


def _has_old_batch_norm(net: Message) -> bool:
    return any(map(_is_old_batch_norm, net.layer))


def _upgrade_batch_norm(net: Message, notes: list[Note]) -> Message:
    """Statistics of BatchNorm are not learned: their multipliers become 0."""
    upgraded = [layer for layer in net.layer if _is_old_batch_norm(layer)]
    for layer in upgraded:
        for spec in layer.param[:_BATCH_NORM_BLOBS]:
            spec.set("lr_mult", 0.0)
            spec.set("decay_mult", 0.0)
    notes.append(
        Note(
            "learning rates of BatchNorm statistics were set to 0 "
            f"({len(upgraded)} layers with a param block for each)",
            upgraded[0].location_of("param"),
        )
    )
    return net


_Upgrade = Callable[[Message, list[Note]], Message]
_UPGRADES: list[tuple[Callable[[Message], bool], _Upgrade]] = [
    (v0.is_v0, v0.upgrade),
    (data_transform.is_needed, data_transform.upgrade),
    (v1.is_v1, v1.upgrade),
    (has_leftover_rates, move_leftover_rates),
    (has_other_spellings, spell_as_caffe),
    (has_optional_blocks, settle_optional_blocks),
    (_has_input_fields, _upgrade_input),
    (_has_old_batch_norm, _upgrade_batch_norm),
]
