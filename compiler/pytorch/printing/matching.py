"""What rules for layers ask of the layer's part of the graph."""

from __future__ import annotations

import re

from ir.expr_text import format_exprs
from ir.graph import Node
from ir.ops.pointwise import Map

from .layout import Bracketed, calls
from .registry import LayerView

NUMBER = r"(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)"


def map_text(node: Node) -> str:
    """The expressions of a map; of other nodes nothing."""
    return format_exprs(node.op.exprs) if isinstance(node.op, Map) else ""


def only_map(layer: LayerView) -> str:
    """The expression of a layer that is one map of one bottom, and nothing else; or nothing."""
    info, nodes = layer.info, layer.views()
    if len(nodes) != 1 or len(info.bottom_values) != 1 or len(info.top_values) != 1:
        return ""
    return map_text(nodes[0])


def numbers_in(pattern: str, text: str) -> tuple[float, ...] | None:
    """The numbers in a text, which stand as ``#`` in the pattern."""
    found = re.fullmatch(re.escape(pattern).replace(r"\#", NUMBER).replace("#", NUMBER), text)
    return None if found is None else tuple(map(float, found.groups()))


def adds_bias(layer: LayerView, node: Node) -> bool:
    """Whether a map adds the layer's second blob."""
    return len(layer.variables) == 2 and map_text(node) == "add(a0, a1)"


def call_with(function: str, *given: str, **named: tuple[object, object]) -> Bracketed:
    """A call with arguments that are not what they are by default: (value, default)."""
    more = [f"{name}={value}" for name, (value, default) in named.items() if value != default]
    return calls(function, *given, *more)


def pair(numbers: tuple[int, ...]) -> str:
    """A number for all axes, or a tuple."""
    if len(set(numbers)) == 1:
        return str(int(numbers[0]))
    return f"({', '.join(str(int(n)) for n in numbers)})"
