"""Reads the text form of graphs, which :mod:`ir.text` describes.

Text may come from anywhere: everything is a ValueError with its line, nothing is
evaluated, and nesting is bounded.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import re
import types
import typing
from collections.abc import Mapping
from typing import Any

from .expr import Expr
from .graph import Direction, Graph, Node, Port, Role, Value
from .location import Location
from .op import OPS, Op
from .size import Scope, Size, parse_size, symbol
from .text_line import WHOLE, WORD, Line
from .types import TensorType

_MAX_NESTING = 16  # graphs inside graphs

_BLANKS = " \t"
_DIRECTION = re.compile(r"[ \t]*(forward|backward|update):[ \t]*")


class GraphTextError(ValueError):
    """Text that is no graph: "line 3: ...".

    Attributes:
        problem: what is wrong.
        location: the line and column, and the line itself; no file.
    """

    def __init__(self, problem: str, location: Location) -> None:
        super().__init__(f"line {location.line}: {problem}")
        self.problem = problem
        self.location = location


def parse_graph(text: str, lines: dict[Node, int] | None = None) -> Graph:
    """The graph that ``text`` shows. Raises GraphTextError for anything else.

    Args:
        lines: gets the number of every node's line, from 1.
    """
    # Importing the ops registers them; they import this package's graphs themselves.
    from . import ops  # noqa: F401

    reader = _Reader(text, {} if lines is None else lines)
    try:
        graph = reader.whole()
    except (ValueError, TypeError, OverflowError) as error:
        raise GraphTextError(str(error), reader.location()) from error
    return graph


class _Reader:
    def __init__(self, text: str, places: dict[Node, int]) -> None:
        self.lines = re.split(r"\r?\n", text)
        self.number = 0
        self.places = places
        self.line = Line("", 1)
        self.scope = Scope()
        self.sizes: dict[str, int] = {}

    def location(self) -> Location:
        """Of the token that was read last."""
        return Location("", self.line.number, self.line.start + 1, text=self.line.text)

    def next(self) -> Line | None:
        """The next line that holds something besides a comment."""
        while self.number < len(self.lines):
            line = self.lines[self.number]
            self.number += 1
            stripped = line.strip(_BLANKS)
            if stripped and not stripped.startswith("#"):
                self.line = Line(line.rstrip(_BLANKS), self.number, self.sizes)
                return self.line
        self.line = Line(self.lines[-1], self.number)
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
        self.scope.close()
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
        head = depth == 0
        while True:
            line = self.next()
            if line is None:
                raise ValueError("the text ends inside a graph")
            if line.accept("size"):
                self.size(line, head)
                continue
            if line.accept("where"):
                self.equality(line, head)
                continue
            head = False
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

    def size(self, line: Line, first: bool) -> None:
        name = line.want(WORD, "a name")
        line.expect("=")
        value = int(line.want(WHOLE, "a whole number"))
        if not first or not line.done:
            raise ValueError("a size is expected as `size N = 64`, before all that is no size")
        if value < 1:
            raise ValueError(f"the size {name} is {value}; it can be 1 or more")
        self.sizes[name] = symbol(self.scope, name, value)

    def equality(self, line: Line, first: bool) -> None:
        left, _, right = line.text[line.place :].partition("==")
        digits = right.strip(_BLANKS)
        if not first or re.fullmatch(r"-?\d+", digits) is None:
            raise ValueError("what holds of sizes is expected as `where H - W == 0`, before inputs")
        size, number = parse_size(left, self.sizes, whole=True), int(digits)
        if not isinstance(size, Size):
            raise ValueError(f"{left.strip()} is a number: nothing need be said of it")
        if size.value != number:
            raise ValueError(
                f"what holds of sizes does not: {left.strip()} is {size.value}, not {number}"
            )
        self.scope.require(size.form, "==", number)

    def port(self, line: Line, values: dict[str, Value], define: bool) -> Port:
        name, type = line.typed()
        value = _define(values, name, type) if define else _lookup(values, name)
        if value.type != type:
            raise ValueError(f"%{name} is {value.type}, not {type}")
        role = Role(line.want(WORD, "a role"))
        port = Port(name if line.done else line.string(), value, role)
        if not line.done:
            raise ValueError(f"unexpected {line.rest()!r}")
        return port

    def node(self, line: Line, values: dict[str, Value], direction: Direction, depth: int) -> Node:
        results: list[tuple[str, TensorType, int]] = []
        while not line.accept("="):
            if results:
                line.expect(",")
            results.append((*line.typed(), line.start))
        cls, start = _op_class(line.want(WORD, "an op")), line.start
        line.expect("(")
        inputs: list[Value] = []
        while not line.accept(")"):
            if inputs:
                line.expect(",")
            line.expect("%")
            inputs.append(_lookup(values, line.name()))
        op, location = self.op(cls, line, start, depth)
        outputs = []
        for name, type, line.start in results:
            outputs.append(_define(values, name, type))
        node = Node(op, tuple(inputs), tuple(outputs), location, direction)
        self.places[node] = line.number
        return node

    def op(self, cls: type[Op], line: Line, start: int, depth: int) -> tuple[Op, Location]:
        hints = _fields(cls)
        given: dict[str, object] = {}
        nested: tuple[str, str] | None = None
        while nested is None and not line.done and not line.text.startswith("#", line.place):
            if line.accept("{"):
                at = line.start
                name = next((n for n, h in hints.items() if h == tuple[Expr, ...]), "")
                value: object = line.exprs()
            else:
                name, at = line.want(WORD, "an attribute"), line.start
                line.expect("=")
                if name not in hints:
                    line.start = at
                    raise ValueError(f"{cls.name} has no attribute {name}; {_known(hints)}")
                if hints.get(name) is Graph:
                    nested = name, line.name()
                    line.expect("{")
                    continue
                value = line.literal()
            if name not in hints or not _fits(value, hints[name]) or name in given:
                line.start = at
                if name in given:
                    raise ValueError(f"{name} is given twice")
                raise ValueError(
                    f"{cls.name} has no attribute {name or 'of expressions'}={value}; "
                    f"{_known(hints)}"
                )
            given[name] = value
        location = line.location()
        if nested is not None:
            given[nested[0]] = self.graph(nested[1], depth + 1)
        self.line, line.start = line, start
        missing = [name for name in _required(cls) if name not in given]
        if missing:
            raise ValueError(f"{cls.name} needs {', '.join(missing)}")
        return cls(**given), location


def _known(hints: Mapping[str, Any]) -> str:
    return f"it has: {', '.join(hints) or 'none'}"


def _op_class(name: str) -> type[Op]:
    if name not in OPS:
        near = difflib.get_close_matches(name, OPS, 1)
        raise ValueError(f"unknown op {name!r}{f'; did you mean {near[0]}?' if near else ''}")
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


@functools.cache
def _required(cls: type[Op]) -> tuple[str, ...]:
    """Attributes of an op that have no default."""
    missing = dataclasses.MISSING
    return tuple(
        f.name
        for f in dataclasses.fields(cls)  # type: ignore[arg-type]
        if f.compare and f.default is missing and f.default_factory is missing
    )


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
    return type(value) is hint or (hint is int and isinstance(value, Size))
