"""Reads the text form of graphs, which :mod:`ir.text` describes.

Text may come from anywhere: everything is a ValueError with its line, nothing is
evaluated, and nesting is bounded.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
import types
import typing
from typing import Any

from .expr import Expr
from .expr_text import parse_exprs
from .graph import NOWHERE, Direction, Graph, Node, Port, Role, Value
from .location import Location
from .op import OPS, Op
from .types import TensorType

_MAX_NESTING = 16  # graphs inside graphs
_MAX_TUPLES = 8

_PLAIN = re.compile(r"[\w./\-@+]+")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_WORD = re.compile(r"[A-Za-z_]\w*")
_TYPE = re.compile(r"[a-z]\w*\[[\d,]*\]")
_NUMBER = re.compile(r"-?(?:inf|nan|\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?![\w.])")
_DIRECTION = re.compile(r"\s*(forward|backward|update):\s*")


def parse_graph(text: str) -> Graph:
    """The graph that ``text`` shows. Raises ValueError ("line 3: ...") for anything else."""
    # Importing the ops registers them; they import this package's graphs themselves.
    from . import ops  # noqa: F401

    reader = _Reader(text)
    try:
        graph = reader.whole()
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"line {reader.number}: {error}") from error
    return graph


class _Line:
    """A scanner over one line."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0

    def skip(self) -> None:
        text, place, end = self.text, self.place, len(self.text)
        while place < end and text[place] in " \t":
            place += 1
        self.place = place

    def match(self, pattern: re.Pattern[str]) -> str | None:
        self.skip()
        found = pattern.match(self.text, self.place)
        if found is None:
            return None
        self.place = found.end()
        return found[0]

    def want(self, pattern: re.Pattern[str], what: str) -> str:
        found = self.match(pattern)
        if found is None:
            raise ValueError(f"{what} expected at {self.rest()!r}")
        return found

    def accept(self, token: str) -> bool:
        self.skip()
        if self.text.startswith(token, self.place):
            self.place += len(token)
            return True
        return False

    def expect(self, token: str) -> None:
        if not self.accept(token):
            raise ValueError(f"{token!r} expected at {self.rest()!r}")

    def rest(self) -> str:
        return self.text[self.place : self.place + 40]

    @property
    def done(self) -> bool:
        self.skip()
        return self.place >= len(self.text)

    # --- pieces ------------------------------------------------------------------------

    def string(self) -> str:
        return _decode(self.want(_STRING, "a string"))

    def name(self) -> str:
        quoted = self.match(_STRING)
        return self.want(_PLAIN, "a name") if quoted is None else _decode(quoted)

    def typed(self) -> tuple[str, TensorType]:
        self.expect("%")
        name = self.name()
        self.expect(":")
        return name, TensorType.parse(self.want(_TYPE, "a type"))

    def literal(self, depth: int = 0) -> object:
        if self.accept("("):
            if depth > _MAX_TUPLES:
                raise ValueError("tuples nest too deep")
            items: list[object] = []
            while not self.accept(")"):
                if items:
                    self.expect(",")
                items.append(self.literal(depth + 1))
            return tuple(items)
        self.skip()
        if self.text.startswith('"', self.place):
            return self.string()
        number = self.match(_NUMBER)
        if number is not None:
            return int(number) if re.fullmatch(r"-?\d+", number) else float(number)
        tensor = self.match(_TYPE)
        if tensor is not None:
            return TensorType.parse(tensor)
        word = self.want(_WORD, "a literal")
        words = {"true": True, "false": False, "none": None}
        if word not in words:
            raise ValueError(f"{word!r} is not a literal")
        return words[word]

    def exprs(self) -> tuple[Expr, ...]:
        """Expressions up to the closing brace; they hold no braces themselves."""
        end = self.text.find("}", self.place)
        if end < 0:
            raise ValueError("'}' expected after the expressions")
        found = parse_exprs(self.text[self.place : end])
        self.place = end + 1
        return found

    def location(self) -> Location:
        """The comment that ends a node's line."""
        if not self.accept("#"):
            if not self.done:
                raise ValueError(f"unexpected {self.rest()!r}")
            return NOWHERE
        self.skip()
        quoted = self.text.startswith('"', self.place)
        layer = self.name()
        if layer == "-" and not quoted:
            layer = ""
        self.skip()
        if self.text.startswith('"', self.place):
            file = self.string()
        else:
            file = self.match(_PLAIN) or ""
        numbers = [0, 0]
        for i in range(2):
            if self.accept(":"):
                numbers[i] = int(self.want(_NUMBER, "a line number"))
        if not self.done:
            raise ValueError(f"unexpected {self.rest()!r} in a location")
        return Location(file, numbers[0], numbers[1], layer)


def _decode(quoted: str) -> str:
    return str(json.loads(quoted))


class _Reader:
    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.number = 0

    def next(self) -> _Line | None:
        """The next line that holds something besides a comment."""
        while self.number < len(self.lines):
            line = self.lines[self.number]
            self.number += 1
            stripped = line.strip()
            if stripped and not stripped.startswith("#"):
                return _Line(line.rstrip())
        return None

    def whole(self) -> Graph:
        line = self.next()
        if line is None:
            raise ValueError("no graph")
        line.expect("graph")
        name = line.name()
        line.expect("{")
        if not line.done:
            raise ValueError(f"unexpected {line.rest()!r}")
        graph = self.graph(name, 0)
        if self.next() is not None:
            raise ValueError("text after the graph")
        return graph

    def graph(self, name: str, depth: int) -> Graph:
        if depth > _MAX_NESTING:
            raise ValueError("graphs nest too deep")
        values: dict[str, Value] = {}
        inputs: list[Port] = []
        nodes: list[Node] = []
        outputs: list[Port] = []
        direction = Direction.FORWARD
        while True:
            line = self.next()
            if line is None:
                raise ValueError("the text ends inside a graph")
            header = _DIRECTION.fullmatch(line.text)
            if header is not None:
                direction = Direction(header[1])
            elif line.accept("}"):
                if not line.done:
                    raise ValueError(f"unexpected {line.rest()!r}")
                return Graph(name, tuple(inputs), tuple(nodes), tuple(outputs))
            elif line.accept("input"):
                inputs.append(self.port(line, values, define=True))
            elif line.accept("output"):
                outputs.append(self.port(line, values, define=False))
            else:
                nodes.append(self.node(line, values, direction, depth))

    def port(self, line: _Line, values: dict[str, Value], define: bool) -> Port:
        name, type = line.typed()
        value = _define(values, name, type) if define else _lookup(values, name)
        if value.type != type:
            raise ValueError(f"%{name} is {value.type}, not {type}")
        role = Role(line.want(_WORD, "a role"))
        port = Port(name if line.done else line.string(), value, role)
        if not line.done:
            raise ValueError(f"unexpected {line.rest()!r}")
        return port

    def node(self, line: _Line, values: dict[str, Value], direction: Direction, depth: int) -> Node:
        results: list[tuple[str, TensorType]] = []
        while not line.accept("="):
            if results:
                line.expect(",")
            results.append(line.typed())
        cls = _op_class(line.want(_WORD, "an op"))
        line.expect("(")
        inputs: list[Value] = []
        while not line.accept(")"):
            if inputs:
                line.expect(",")
            line.expect("%")
            inputs.append(_lookup(values, line.name()))
        op, location = self.op(cls, line, depth)
        outputs = tuple(_define(values, name, type) for name, type in results)
        return Node(op, tuple(inputs), outputs, location, direction)

    def op(self, cls: type[Op], line: _Line, depth: int) -> tuple[Op, Location]:
        hints = _fields(cls)
        given: dict[str, object] = {}
        nested: tuple[str, str] | None = None
        while nested is None and not line.done and not line.text.startswith("#", line.place):
            if line.accept("{"):
                name = next((n for n, h in hints.items() if h == tuple[Expr, ...]), "")
                value: object = line.exprs()
            else:
                name = line.want(_WORD, "an attribute")
                line.expect("=")
                if hints.get(name) is Graph:
                    nested = name, line.name()
                    line.expect("{")
                    continue
                value = line.literal()
            if name not in hints or not _fits(value, hints[name]):
                raise ValueError(f"{cls.name} has no attribute {name or 'of expressions'}={value}")
            if name in given:
                raise ValueError(f"{name} is given twice")
            given[name] = value
        location = line.location()
        if nested is not None:
            given[nested[0]] = self.graph(nested[1], depth + 1)
        return cls(**given), location


def _op_class(name: str) -> type[Op]:
    if name not in OPS:
        raise ValueError(f"unknown op {name!r}")
    return OPS[name]


def _define(values: dict[str, Value], name: str, type: TensorType) -> Value:
    if name in values:
        raise ValueError(f"%{name} is defined twice")
    values[name] = Value(name, type)
    return values[name]


def _lookup(values: dict[str, Value], name: str) -> Value:
    if name not in values:
        raise ValueError(f"%{name} is not defined")
    return values[name]


@functools.cache
def _fields(cls: type[Op]) -> dict[str, Any]:
    """Attributes of an op and their declared types."""
    hints = typing.get_type_hints(cls)
    return {f.name: hints[f.name] for f in dataclasses.fields(cls) if f.compare}  # type: ignore[arg-type]


def _fits(value: object, hint: Any) -> bool:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, choice) for choice in typing.get_args(hint))
    if origin is tuple:
        item, *rest = typing.get_args(hint)
        if not isinstance(value, tuple):
            return False
        if rest and rest[0] is not Ellipsis:
            wanted = (item, *rest)
            return len(value) == len(wanted) and all(map(_fits, value, wanted))
        return all(_fits(v, item) for v in value)
    if hint is type(None):
        return value is None
    return type(value) is hint
