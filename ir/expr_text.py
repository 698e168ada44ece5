"""Text form of scalar expressions; :func:`parse_expr` is the inverse of :func:`format_expr`.

Written as calls of primitives: ``max(a0, 0.0)``, ``where(gt(a0, 0.0), a1, mul(a1, 0.1))``.
Leaves: ``a0`` (with its type when not f32: ``a0:i32``), ``1.5``, ``3``, ``true``, ``$64``
(a number that follows from a shape), ``i0`` (coordinate), ``linear``. A literal whose type is not the default of its
spelling carries it: ``7:u32``.
"""

from __future__ import annotations

import math
import re

from . import expr as e
from .expr import Expr, Number
from .types import BOOL, F32, I32, DType

_TOKEN = re.compile(r"\s*([A-Za-z_]\w*|\$?-?(?:inf|nan|[\d.][\d.eE]*(?:(?<=[eE])[+-]\d+)?)|[(),:])")


def format_expr(root: Expr) -> str:
    done: dict[Expr, str] = {}
    for node in e.walk(root):
        done[node] = (
            _leaf(node)
            if not node.args
            else (f"{node.op}({', '.join(done[a] for a in node.args)})")
        )
    return done[root]


def _leaf(node: Expr) -> str:
    suffix = f":{node.dtype}"
    if node.op == "arg":
        return f"a{node.value}" + ("" if node.dtype is F32 else suffix)
    if node.op == "index":
        return f"i{node.value}"
    if node.op == "linear":
        return "linear"
    assert node.value is not None
    text = _number(node.value, node.dtype)
    text = f"${text}" if node.op == "dyn" else text
    return text if node.dtype in (F32, I32, BOOL) else text + suffix


def _number(value: Number, dtype: DType) -> str:
    if dtype is BOOL:
        return "true" if value else "false"
    return repr(float(value)) if dtype.is_float else str(int(value))


def parse_expr(text: str) -> Expr:
    """Raises ValueError naming the place where the text is not an expression."""
    tokens: list[str] = []
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError(f"bad expression at column {position + 1}: {text!r}")
        tokens.append(match[1])
        position = match.end()
    parser = _Parser(tokens, text)
    result = parser.expression()
    if parser.place != len(tokens):
        raise ValueError(f"text after the expression: {text!r}")
    return result


class _Parser:
    def __init__(self, tokens: list[str], text: str) -> None:
        self.tokens, self.text, self.place = tokens, text, 0

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        if not token or (expected and token != expected):
            raise ValueError(f"expected {expected or 'more'}, found {token!r} in {self.text!r}")
        self.place += 1
        return token

    def dtype(self, default: DType) -> DType:
        if self.peek() != ":":
            return default
        self.take(":")
        return DType(self.take())

    def expression(self) -> Expr:
        token = self.take()
        if self.peek() == "(":
            if token not in e.PRIMITIVES:
                raise ValueError(f"unknown primitive {token!r} in {self.text!r}")
            return self.call(token)
        if token == "linear":
            return e.linear()
        if token in ("true", "false"):
            return e.const(token == "true")
        if match := re.fullmatch(r"([ai])(\d+)", token):
            number = int(match[2])
            return e.arg(number, self.dtype(F32)) if match[1] == "a" else e.index(number)
        return self.literal(token)

    def call(self, name: str) -> Expr:
        self.take("(")
        operands = [self.expression()]
        while self.peek() == ",":
            self.take(",")
            operands.append(self.expression())
        self.take(")")
        return e.primitive(name, *operands)

    def literal(self, token: str) -> Expr:
        digits = token.lstrip("$")
        try:
            value: Number = int(digits)
        except ValueError:
            value = float(digits)
        default = I32 if isinstance(value, int) and not math.isinf(value) else F32
        dtype = self.dtype(default)
        return e.dyn(value, dtype) if token.startswith("$") else e.const(value, dtype)
