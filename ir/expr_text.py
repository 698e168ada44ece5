"""Text form of scalar expressions; :func:`parse_exprs` is the inverse of :func:`format_exprs`.

Written as calls of primitives: ``max(a0, 0.0)``, ``where(gt(a0, 0.0), a1, mul(a1, 0.1))``.
Leaves: ``a0`` (with its type when not f32: ``a0:i32``), ``1.5``, ``3``, ``true``, ``$64`` (a number
that follows from a shape; ``$[N * H]`` where it is a size), ``i0`` (coordinate), ``linear``. A
literal whose type is not the default of its spelling carries it: ``7:u32``, ``$[N]:f32``.

:func:`format_exprs` writes several expressions, what they share once:
``t0 = exp(a0); mul(t0, t0); add(t0, 1.0)`` (steps with a name, then the results).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from . import expr as e
from .expr import Expr, Number
from .primitives import PRIMITIVES
from .size import Real, Size, parse_size, size_text
from .types import BOOL, F32, I32, DType

_NUMBER = r"-?(?:inf|nan|\d+(?:\.\d+)?(?:e[+-]?\d+)?)"
_TOKEN = re.compile(rf"[ \t]*(\$\[[^\[\]]*\]|[A-Za-z_]\w*|\$?{_NUMBER}|[(),:])")

_MAX_DEPTH = 100


_LINE_DEPTH = 24
"""Calls that nest deeper than this are written as a step of their own."""


def format_exprs(roots: Sequence[Expr]) -> str:
    """Text of length linear in the number of distinct nodes; see :func:`parse_exprs`."""
    uses: dict[Expr, int] = {}
    for node in e.walk(*roots):
        for operand in node.args:
            uses[operand] = uses.get(operand, 0) + 1
    done: dict[Expr, str] = {}
    depth: dict[Expr, int] = {}
    parts: list[str] = []
    for node in e.walk(*roots):
        if not node.args:
            done[node], depth[node] = _leaf(node), 0
            continue
        text = f"{node.op}({', '.join(done[a] for a in node.args)})"
        depth[node] = 1 + max(depth[a] for a in node.args)
        if uses.get(node, 0) > 1 or depth[node] >= _LINE_DEPTH:
            name = f"t{len(parts)}"
            parts.append(f"{name} = {text}")
            text, depth[node] = name, 0
        done[node] = text
    return "; ".join([*parts, *(done[root] for root in roots)])


def parse_exprs(text: str, sizes: Mapping[str, int] | None = None) -> tuple[Expr, ...]:
    """Inverse of :func:`format_exprs`. Raises ValueError.

    Args:
        sizes: those that the text may name.
    """
    steps: dict[str, Expr] = {}
    roots: list[Expr] = []
    for part in text.split(";"):
        name, equals, right = part.partition("=")
        if not equals:
            roots.append(parse_expr(part, steps, sizes))
            continue
        name = name.strip(" \t")
        if roots or name != f"t{len(steps)}":
            raise ValueError(f"the step 't{len(steps)}' or a result expected: {part!r}")
        steps[name] = parse_expr(right, steps, sizes)
    if not roots:
        raise ValueError(f"a result is expected after the steps: {text!r}")
    return tuple(roots)


def _leaf(node: Expr) -> str:
    suffix = f":{node.dtype}"
    if node.op == "arg":
        return f"a{node.value}" + ("" if node.dtype is F32 else suffix)
    if node.op == "index":
        return f"i{node.value}"
    if node.op == "linear":
        return "linear"
    assert node.value is not None
    if isinstance(node.value, Size | Real):
        default = I32 if isinstance(node.value, Size) else F32
        return f"$[{size_text(node.value)}]" + ("" if node.dtype is default else suffix)
    text = _number(node.value, node.dtype)
    text = f"${text}" if node.op == "dyn" else text
    return text if node.dtype in (F32, I32, BOOL) else text + suffix


def _number(value: Number, dtype: DType) -> str:
    if dtype is BOOL:
        return "true" if value else "false"
    return repr(float(value)) if dtype.is_float else str(int(value))


def parse_expr(
    text: str, steps: Mapping[str, Expr] | None = None, sizes: Mapping[str, int] | None = None
) -> Expr:
    """Raises ValueError naming the place where the text is not an expression.

    Args:
        steps, sizes: expressions and sizes that the text may name.
    """
    tokens: list[str] = []
    position = 0
    end = len(text.rstrip(" \t"))
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError(f"bad expression at column {position + 1}: {text!r}")
        tokens.append(match[1])
        position = match.end()
    parser = _Parser(tokens, text, steps or {}, sizes or {})
    result = parser.expression()
    if parser.place != len(tokens):
        raise ValueError(f"text after the expression: {text!r}")
    return result


class _Parser:
    def __init__(
        self, tokens: list[str], text: str, steps: Mapping[str, Expr], sizes: Mapping[str, int]
    ) -> None:
        self.tokens, self.text, self.place = tokens, text, 0
        self.steps, self.sizes = steps, sizes
        self.depth = 0

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
            if token not in PRIMITIVES:
                raise ValueError(f"unknown primitive {token!r} in {self.text!r}")
            return self.call(token)
        if token in self.steps:
            return self.steps[token]
        if token == "linear":
            return e.linear()
        if token in ("true", "false"):
            return e.const(token == "true")
        if match := re.fullmatch(r"([ai])(\d+)", token):
            number = int(match[2])
            return e.arg(number, self.dtype(F32)) if match[1] == "a" else e.index(number)
        return self.literal(token)

    def call(self, name: str) -> Expr:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise ValueError(f"calls nest deeper than {_MAX_DEPTH}")
        self.take("(")
        operands = [self.expression()]
        while self.peek() == ",":
            self.take(",")
            operands.append(self.expression())
        self.take(")")
        self.depth -= 1
        arity = PRIMITIVES[name].arity
        if len(operands) != arity:
            raise ValueError(f"{name} takes {arity} operands, {len(operands)} are given")
        try:
            return e.primitive(name, *operands)
        except TypeError as error:
            raise ValueError(f"{error}: {self.text!r}") from None

    def literal(self, token: str) -> Expr:
        if token.startswith("$["):
            size = parse_size(token[2:-1], self.sizes)
            return e.dyn(size, self.dtype(I32 if isinstance(size, int | Size) else F32))
        digits = token.removeprefix("$")
        if re.fullmatch(_NUMBER, digits) is None:
            step = re.fullmatch(r"t\d+", token) is not None
            problem = "a step that is not made before it is read" if step else "no expression"
            raise ValueError(f"{token!r} is {problem}: {self.text!r}")
        try:
            value: Number = int(digits)
        except ValueError:
            value = float(digits)
        default = I32 if isinstance(value, int) and not math.isinf(value) else F32
        dtype = self.dtype(default)
        return e.dyn(value, dtype) if token.startswith("$") else e.const(value, dtype)
