"""Text form of graphs: what dumps, tests, artifacts and errors show; it parses back.

::

    graph lenet {
      input %data: f32[64,800] data
      input %ip1/0: f32[10,800] parameter
      input %ip1/0.1: f32[10,800] gradient "ip1/0"
      input %diff_ip1: f32[64,10] seed "diff:ip1"
    forward:
      %ip1: f32[64,10] = matmul(%data, %ip1/0) transpose_b=true     # ip1 lenet.prototxt:12:1
      %relu1: f32[64,10] = map(%ip1) {max(a0, 0.0)}                 # relu1 lenet.prototxt:20:1
    ...
      output %relu1: f32[64,10] result "ip1"
    }

Extents may change: ``%data: f32[N,800]``. Then lines as ``size N = 64`` come first, which say what
they are at the sizes at hand, and ``where H - 2 * (H // 2) == 0``, what is always so. Attributes
that hold such a size have it in brackets: ``reshape(%data) shape=([N],40,20)``.

One line per port and per node, every value with its type. A port whose name is not its
value's name has it in quotes. Attributes that are a field's default are left out;
expressions stand in braces; the graph inside a fused node is an indented block. A type says how
memory holds it where that is not row-major: ``f32[2,64,8,8]{0,2,3,1}`` (:mod:`ir.layout`). A node's
comment is its location: layer, file:line:column. Names with other characters than letters,
digits and ``_./-@+`` are quoted as in JSON. Functions of host calls are not part of the text.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Iterator

from .expr import Expr
from .expr_text import format_exprs
from .graph import NOWHERE, Direction, Graph, Node, Port, Value
from .graph_sizes import graph_equalities, graph_symbols
from .location import Location
from .op import Op
from .printable import json_text
from .size import Size, size_text
from .text_reader import parse_graph
from .types import TensorType

__all__ = ["format_graph", "parse_graph", "format_node", "format_op"]

_PLAIN = re.compile(r"[\w./\-@+]+")
_PLAIN_FILE = re.compile(r"[\w./\-@+]*")
_COMMENT_COLUMN = 72


def format_graph(graph: Graph, *, places: bool = True) -> str:
    """The whole graph, ending with a newline. :func:`parse_graph` is the inverse.

    Args:
        places: with the files and lines that nodes come from; else with their layers alone.
    """
    sizes = [f"  size {symbol.key} = {symbol.value}" for symbol in graph_symbols(graph)]
    sizes += [f"  where {condition}" for condition in graph_equalities(graph)]
    lines = [f"graph {_name(graph.name)} {{", *sizes, *_body(graph, "  ", places), "}"]
    return "\n".join(lines) + "\n"


def format_node(node: Node) -> str:
    """One node on one line, nested graphs left out: for errors and dumps."""
    return next(iter(_node(node, "", shorten=True)))


def format_nodes(nodes: Iterable[Node]) -> str:
    """Some nodes of a graph, with the graphs nested in them, and their layers without lines."""
    return "\n".join(line for node in nodes for line in _node(node, "", places=False)) + "\n"


def format_op(op: Op) -> str:
    """An op with its attributes, nested graphs left out: what :func:`parse_graph` reads of it."""
    words = [op.name]
    for name, value in attributes(op):
        if not isinstance(value, Graph):
            words.append(_attribute(name, value))
    return " ".join(words)


def _body(graph: Graph, indent: str, places: bool) -> Iterator[str]:
    for port in graph.inputs:
        yield f"{indent}input {_port(port)}"
    direction = Direction.FORWARD
    for node in graph.nodes:
        if node.direction is not direction:
            direction = node.direction
            yield f"{indent[2:]}{direction.value}:"
        yield from _node(node, indent, places)
    for port in graph.outputs:
        yield f"{indent}output {_port(port)}"


def _port(port: Port) -> str:
    text = f"{_typed(port.value)} {port.role.value}"
    return text if port.name == port.value.name else f"{text} {_quote(port.name)}"


def _node(node: Node, indent: str, places: bool = True, shorten: bool = False) -> Iterator[str]:
    results = ", ".join(map(_typed, node.outputs))
    operands = ", ".join(f"%{_name(v.name)}" for v in node.inputs)
    line = f"{indent}{results} = {node.op.name}({operands})"
    nested: tuple[str, Graph] | None = None
    for name, value in attributes(node.op):
        if isinstance(value, Graph):
            nested = name, value
        else:
            line += f" {_attribute(name, value)}"
    if nested is not None:
        line += f" {nested[0]}={_name(nested[1].name)} {{"
        line += "...}" if shorten else ""
    comment = _location(node.location if places else Location(layer=node.location.layer))
    yield f"{line.ljust(_COMMENT_COLUMN)}  # {comment}" if comment else line
    if nested is not None and not shorten:
        yield from _body(nested[1], indent + "  ", places)
        yield indent + "}"


def _attribute(name: str, value: object) -> str:
    if isinstance(value, tuple) and value and isinstance(value[0], Expr):
        return f"{{{format_exprs(value)}}}"
    return f"{name}={_literal(value)}"


def attributes(op: Op) -> Iterator[tuple[str, object]]:
    """The op's fields that are not at their default and take part in comparisons."""
    for field in dataclasses.fields(op):  # type: ignore[arg-type]
        value = getattr(op, field.name)
        if not field.compare:
            continue
        default = field.default
        if default is dataclasses.MISSING or repr(value) != repr(default):
            yield field.name, value


def _typed(value: Value) -> str:
    return f"%{_name(value.name)}: {value.type}"


def _name(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else _quote(name)


def _quote(text: str) -> str:
    return json_text(json.dumps(text, ensure_ascii=False))


def _literal(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, Size):
        return f"[{size_text(value)}]"
    if isinstance(value, tuple):
        return f"({','.join(map(_literal, value))})"
    if isinstance(value, int | float | TensorType):
        return repr(value) if isinstance(value, float) else str(value)
    raise TypeError(f"an attribute cannot be a {type(value).__name__}: {value!r}")


def _location(location: Location) -> str:
    if location == NOWHERE:
        return ""
    layer = location.layer
    words = [layer if _PLAIN.fullmatch(layer) and layer != "-" else _quote(layer) if layer else "-"]
    place = location.file if _PLAIN_FILE.fullmatch(location.file) else _quote(location.file)
    if location.line or location.column:
        place += f":{location.line}"
    if location.column:
        place += f":{location.column}"
    return " ".join([*words, place] if place else words)
