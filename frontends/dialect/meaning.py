"""What text means in one fork and not in others, written out, so that it means that everywhere."""

from __future__ import annotations

from collections.abc import Callable

from frontends.prototxt.message import Message
from frontends.prototxt.note import Note

from .dialect import Dialect


def write_out(net: Message, dialect: Dialect) -> list[Note]:
    """Set the fields that say what a dialect takes for granted, in place; says what was set.

    Args:
        net: in the current format.
    """
    rule = _RULES.get(dialect.name)
    if rule is None:
        return []
    changed = [layer for layer in net.layer if layer.type == "BatchNorm" and rule(layer)]
    if not changed:
        return []
    text = f"{len(changed)} BatchNorm layer(s) are read as {dialect.title} does"
    return [Note(text, changed[0].location)]


def _averages(layer: Message) -> bool:
    """NVIDIA/caffe: src/caffe/layers/batch_norm_layer.cpp."""
    layer.mutable("batch_norm_param").set("moving_averages", True)
    return True


def _scaled_by_mkl(layer: Message) -> bool:
    """intel/caffe: src/caffe/layers/mkldnn_batch_norm_layer.cpp, whose use_weight_bias is true."""
    param = layer.batch_norm_param
    if param.has("use_weight_bias") or param.engine not in ("MKL2017", "MKLDNN"):
        return False
    layer.mutable("batch_norm_param").set("use_weight_bias", True)
    return True


def _statistics_stay(layer: Message) -> bool:
    """hszhao/PSPNet and xmyqsh/deeplab-v2: src/caffe/layers/batch_norm_layer.cpp."""
    if layer.batch_norm_param.has("update_global_stats"):
        return False
    layer.mutable("batch_norm_param").set("update_global_stats", False)
    return True


_RULES: dict[str, Callable[[Message], bool]] = {
    "nvcaffe": _averages,
    "intel": _scaled_by_mkl,
    "pspnet": _statistics_stay,
    "deeplab": _statistics_stay,
}
