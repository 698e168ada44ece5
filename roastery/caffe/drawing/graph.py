"""What a picture of a net shows: layers and blobs as nodes, and the arrows between.

Caffe: python/caffe/draw.py, whose labels and colours are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from frontends.prototxt import Message
from ir.printable import printable

ShapeKind = Literal["layer", "in_place", "blob"]

_COLORS = {
    "Convolution": "#FF5050",
    "Deconvolution": "#FF5050",
    "Pooling": "#FF9900",
    "InnerProduct": "#CC33FF",
}
_OTHER, _IN_PLACE, _BLOB = "#6495ED", "#90EE90", "#E0E0E0"
_LEARNING = ("Convolution", "Deconvolution", "InnerProduct")


@dataclass(frozen=True)
class DrawnNode:
    """A box. ``lines`` of text belong together, one line each where there is room."""

    key: str
    kind: ShapeKind
    lines: tuple[str, ...]
    color: str


@dataclass(frozen=True)
class Arrow:
    """``back``: from an in-place layer to the blob that it writes over."""

    tail: str
    head: str
    label: str = ""
    back: bool = False


@dataclass
class Drawing:
    """Nodes by key, in the order of the layers."""

    name: str
    nodes: dict[str, DrawnNode] = field(default_factory=dict)
    arrows: list[Arrow] = field(default_factory=list)


def draw_graph(
    name: str,
    layers: Sequence[Message],
    *,
    label_edges: bool = True,
    rates: bool = False,
    of_blob: Callable[[str], Sequence[str]] = lambda name: (),
    of_layer: Callable[[Message], Sequence[str]] = lambda layer: (),
) -> Drawing:
    """The drawing of some layers.

    Args:
        label_edges: write how many outputs a layer has on its arrows.
        rates: show the lr_mult of layers that learn.
        of_blob, of_layer: further lines of text, such as shapes and sizes.
    """

    def blob_key(name: str) -> str:
        key = f"blob {name}"
        if key not in drawing.nodes:
            lines = printable(name), *map(printable, of_blob(name))
            drawing.nodes[key] = DrawnNode(key, "blob", lines, _BLOB)
        return key

    drawing = Drawing(printable(name) or "Net")
    for layer in layers:
        key, count = f"layer {layer.name}", 1
        while key in drawing.nodes:  # layers may share a name, or have none
            count += 1
            key = f"layer {layer.name} {count}"
        in_place = list(layer.bottom) == list(layer.top) and len(layer.top) == 1
        color = _IN_PLACE if in_place else _COLORS.get(layer.type, _OTHER)
        kind: ShapeKind = "in_place" if in_place else "layer"
        lines = *layer_lines(layer, rates), *map(printable, of_layer(layer))
        drawing.nodes[key] = DrawnNode(key, kind, lines, color)
        for blob in layer.bottom:
            drawing.arrows.append(Arrow(blob_key(blob), key))
        label = edge_label(layer) if label_edges else ""
        for blob in layer.top:
            back = blob in layer.bottom
            drawing.arrows.append(Arrow(key, blob_key(blob), label, back))
    return drawing


def layer_lines(layer: Message, rates: bool = False) -> tuple[str, ...]:
    """Name, type, window, and with ``rates`` the learning rate multipliers."""
    what = layer.type
    if what == "Pooling":
        what += f" {layer.pooling_param.pool}"
    lines = [layer.name, f"({what})", *_window(layer)]
    if rates and layer.type in _LEARNING:
        multipliers = [spec.lr_mult for spec in layer.param[:2]]
        multipliers += [1.0] * (2 - len(multipliers))
        if any(multipliers):
            lines.append(f"lr mult: {multipliers[0]:.1f}, {multipliers[1]:.1f}")
    return tuple(map(printable, lines))


def _window(layer: Message) -> list[str]:
    if layer.type == "Pooling":
        parameters = layer.pooling_param
        if parameters.global_pooling:
            return ["global"]
    elif layer.type in ("Convolution", "Deconvolution"):
        parameters = layer.convolution_param
    else:
        return []
    sizes = {
        "kernel size": _extent(parameters, "kernel_size", "kernel", 1),
        "stride": _extent(parameters, "stride", "stride", 1),
        "pad": _extent(parameters, "pad", "pad", 0),
    }
    return [f"{name}: {size}" for name, size in sizes.items()]


def _extent(parameters: Message, name: str, legacy: str, default: int) -> str:
    """``3``, or ``3x5`` where the axes differ."""
    if parameters.has(f"{legacy}_h") or parameters.has(f"{legacy}_w"):
        values = [parameters[f"{legacy}_h"], parameters[f"{legacy}_w"]]
    else:
        value = parameters[name] if parameters.has(name) else default
        values = list(value) if isinstance(value, list) else [value]
    return "x".join(map(str, values if len(set(values)) > 1 else values[:1]))


def edge_label(layer: Message) -> str:
    """How many records or channels a layer gives."""
    if layer.type == "Data":
        return f"Batch {layer.data_param.batch_size}"
    if layer.type in ("Convolution", "Deconvolution"):
        return str(layer.convolution_param.num_output)
    if layer.type == "InnerProduct":
        return str(layer.inner_product_param.num_output)
    return ""
