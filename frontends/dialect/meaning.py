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
    notes = []
    for kind, rule in _RULES.get(dialect.name, {}).items():
        changed = [layer for layer in net.layer if layer.type == kind and rule(layer)]
        if changed:
            text = f"{len(changed)} {kind} layer(s) are read as {dialect.title} does"
            notes.append(Note(text, changed[0].location))
    return notes


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


def _is_segnets(layer: Message) -> bool:
    """Of the two layers called BN a bare one is the dialect's own: alexgkendall/caffe-segnet."""
    return _tell(layer, icnet=False)


def _is_pspnets(layer: Message) -> bool:
    """yjxiong/caffe, hszhao/PSPNet: src/caffe/layers/bn_layer.cpp."""
    return _tell(layer, icnet=True)


def _tell(layer: Message, *, icnet: bool) -> bool:
    if layer.bn_param.fields_set():
        return False
    layer.mutable("bn_param").set("icnet", icnet)
    return True


_RULES: dict[str, dict[str, Callable[[Message], bool]]] = {
    "nvcaffe": {"BatchNorm": _averages},
    "intel": {"BatchNorm": _scaled_by_mkl},
    "pspnet": {"BatchNorm": _statistics_stay, "BN": _is_pspnets},
    "deeplab": {"BatchNorm": _statistics_stay},
    "happynear": {"BN": _is_pspnets},
    "segnet": {"BN": _is_segnets},
    "yjxiong": {"BN": _is_pspnets},
}
