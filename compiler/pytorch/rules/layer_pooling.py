"""Pooling."""

from __future__ import annotations

from ir.graph import Node
from ir.ops.window import WindowMax, WindowSum
from ir.size import Size, form_of, size_text, value_of

from ..printing.matching import call_with, map_text, pair
from ..printing.registry import LayerView, TorchModule, layer_rule


@layer_rule("Pooling")
def pooling(layer: LayerView) -> TorchModule | None:
    """Maxima, averages, and both of whole images, where PyTorch's windows lie as Caffe's do."""
    nodes, info = layer.nodes, layer.info
    if len(info.top_values) != 1 or not nodes:
        return None
    if layer.ops == ["reduce", "map"] and map_text(nodes[1]).startswith("div(a0, $"):
        return TorchModule("nn.AdaptiveAvgPool2d(1)")
    if layer.ops == ["reshape", "reduce", "argextreme", "map", "reduce", "map", "reshape"]:
        return TorchModule("nn.AdaptiveMaxPool2d(1)")
    if layer.ops == ["window_max"]:
        return _windows(nodes[0], "nn.MaxPool2d", "")
    if layer.ops == ["window_sum", "map"]:
        divided = map_text(nodes[1])
        if "div(a0, " in divided:
            return _windows(nodes[0], "nn.AvgPool2d", divided)
    return None


def _windows(node: Node, name: str, divided: str) -> TorchModule | None:
    """PyTorch's rules for windows are Caffe's where these overlap or touch.

    ``divided``: what an average is divided by.
    """
    op = node.op
    assert isinstance(op, WindowMax | WindowSum)
    window, stride, pad = op.window[2:], op.stride[2:], op.low[2:]
    if len(window) != 2 or any(op.slides(axis) for axis in (0, 1)):
        return None
    modes = set()
    extents = zip(node.inputs[0].shape[2:], node.outputs[0].shape[2:], strict=True)
    for (d, out), k, s, p in zip(extents, window, stride, pad, strict=True):
        if s > k or 2 * p > k:
            return None
        modes.add(_mode(d, out, k, s, p))
        padded = f"$[{size_text(d + 2 * p)}]" if isinstance(d, Size) else f"${d + 2 * p}"
        if "min(sub($" in divided and "max(" not in divided and padded not in divided:
            return None  # both ends are padded, but not alike
    modes -= {"either"}
    if len(modes) > 1 or "none" in modes:
        return None
    text = call_with(
        name,
        pair(window),
        stride=(pair(stride), pair(window)),
        padding=(pair(pad), "0"),
        ceil_mode=("ceil" in modes, False),
        count_include_pad=("max(" not in divided, True),
    )
    return TorchModule(text)


def _mode(extent: int, out: int, window: int, stride: int, pad: int) -> str:
    """How the number of windows is rounded: floor, ceil, either (it makes no difference), or none:
    the ends are padded in different ways."""
    d, found = value_of(extent), value_of(out)
    span = d + 2 * pad - window
    floor = span // stride + 1
    ceil = min(-(-span // stride) + 1, -(-(d + pad) // stride))
    if stride == 1:
        return "either" if found == floor else "none"
    if isinstance(extent, Size):
        if form_of(out) == form_of((extent + 2 * pad - window) // stride + 1):
            return "floor"
        return "ceil" if found == ceil else "none"
    if floor == ceil == found:
        return "either"
    return "floor" if found == floor else "ceil" if found == ceil else "none"
