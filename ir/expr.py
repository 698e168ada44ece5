"""Scalar expressions: what a pointwise op computes for one element.

An expression is data: a node of a small table of primitives (:mod:`ir.primitives`)
over its leaves. Three readers interpret it: :mod:`ir.expr_numpy` evaluates it,
:mod:`ir.expr_grad` differentiates it, and a backend's printer spells it.

Leaves:

* ``arg(i)``: the element of the op's input ``i`` (inputs broadcast).
* ``const(v)``: a literal, part of the kernel's source.
* ``dyn(v)``: a number that follows from a shape (a batch size, a loss normalizer), or
  the size or real that it is at any; evaluates like a literal, but kernels take it as an
  argument, so that a new shape needs no new kernel.
* ``index(axis)``: coordinate of the element along an axis of the op's result.
* ``linear()``: flattened index of the element (the counter of random numbers).

Expressions are interned: equal expressions are one object, so sharing is free and
comparison is identity.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Sequence
from typing import Any

from .narrow import rounded_number
from .primitives import CASTS, PRIMITIVES
from .size import Real, Size
from .types import BOOL, F32, I32, U32, DType

Number = float | int | bool


class Expr:
    """A node of an expression; make one with the functions of this module."""

    __slots__ = ("op", "args", "value", "dtype", "__weakref__")

    op: str
    args: tuple[Expr, ...]
    value: Any  # of a leaf: a number, or what a backend's leaves hold; else None
    dtype: DType

    def __repr__(self) -> str:
        """As calls of this module: ``mul(arg(0, f32), const(0.1, f32))``."""
        done: dict[Expr, str] = {}
        for node in walk(self):
            of = node.args and ", ".join(done[a] for a in node.args)
            done[node] = f"{node.op}({of or f'{node.value}, {node.dtype}'})"
        return done[self]

    # Arithmetic on expressions and Python numbers builds expressions.
    def __add__(self, other: Operand) -> Expr:
        return binary("add", self, other)

    def __radd__(self, other: Operand) -> Expr:
        return binary("add", other, self)

    def __sub__(self, other: Operand) -> Expr:
        return binary("sub", self, other)

    def __rsub__(self, other: Operand) -> Expr:
        return binary("sub", other, self)

    def __mul__(self, other: Operand) -> Expr:
        return binary("mul", self, other)

    def __rmul__(self, other: Operand) -> Expr:
        return binary("mul", other, self)

    def __truediv__(self, other: Operand) -> Expr:
        return binary("div", self, other)

    def __rtruediv__(self, other: Operand) -> Expr:
        return binary("div", other, self)

    def __floordiv__(self, other: Operand) -> Expr:
        return binary("floordiv", self, other)

    def __mod__(self, other: Operand) -> Expr:
        return binary("mod", self, other)

    def __neg__(self) -> Expr:
        return unary("neg", self)

    def __lt__(self, other: Operand) -> Expr:
        return binary("lt", self, other)

    def __le__(self, other: Operand) -> Expr:
        return binary("le", self, other)

    def __gt__(self, other: Operand) -> Expr:
        return binary("gt", self, other)

    def __ge__(self, other: Operand) -> Expr:
        return binary("ge", self, other)

    def __and__(self, other: Operand) -> Expr:
        return binary("and", self, other)

    def __or__(self, other: Operand) -> Expr:
        return binary("or", self, other)

    def __invert__(self) -> Expr:
        return unary("not", self)


Operand = Expr | float | int | bool


_Key = tuple[str, tuple[Expr, ...], object, type, DType]
_interned: dict[_Key, _Entry] = {}


class _Entry(weakref.ref[Expr]):
    """What the table holds of an expression, as long as something else holds it."""

    __slots__ = ("key",)
    key: _Key


def _forget(entry: _Entry) -> None:
    if _interned.get(entry.key) is entry:
        del _interned[entry.key]


def _make(op: str, args: tuple[Expr, ...], value: Any, dtype: DType) -> Expr:
    kind = value.__class__
    token = value
    if kind is float:
        token = repr(value)  # 0.0 and -0.0 compare equal; 1, 1.0 and True are told apart by type
    elif kind is Size:
        token = id(value)  # to compare sizes is to say that they are equal
    elif kind is Real:
        token = value.key
    key = op, args, token, kind, dtype
    entry = _interned.get(key)
    found = entry() if entry is not None else None
    if found is not None:
        return found
    expr = Expr()
    expr.op, expr.args, expr.value, expr.dtype = op, args, value, dtype
    _interned[key] = entry = _Entry(expr, _forget)
    entry.key = key
    return expr


def node(op: str, args: tuple[Expr, ...] = (), value: Any = None, dtype: DType = F32) -> Expr:
    """A node just as it is said: for backends, whose expressions have more leaves than the IR's.

    ``value`` is told from others by its type and ``==``.
    """
    return _make(op, args, value, dtype)


# --- leaves -------------------------------------------------------------------------


def arg(i: int, dtype: DType = F32) -> Expr:
    """Element of input ``i``."""
    return _make("arg", (), i, dtype)


def const(value: Number, dtype: DType | None = None) -> Expr:
    """A literal; the type follows Python's (float f32, int i32, bool) unless given."""
    value = _literal(value)
    if dtype is None:
        dtype = BOOL if isinstance(value, bool) else I32 if isinstance(value, int) else F32
    if dtype.is_float:
        value = rounded_number(float(value), dtype)
    elif dtype is BOOL:
        value = bool(value)
    else:
        value = int(value)
    return _make("const", (), value, dtype)


def _literal(value: Number) -> Number:
    """A size as the number it is, which fixes it: a literal is part of a kernel's text."""
    if isinstance(value, Size):
        return int(value)
    return float(value) if isinstance(value, Real) else value


def dyn(value: Number, dtype: DType | None = None) -> Expr:
    """A number that follows from a shape: evaluated like a literal, a kernel argument."""
    if dtype is None:
        dtype = I32 if isinstance(value, int | Size) else F32
    if isinstance(value, Size | Real):
        return _make("dyn", (), value, dtype)
    return _make("dyn", (), float(value) if dtype.is_float else int(value), dtype)


def index(axis: int) -> Expr:
    """Coordinate along ``axis`` (not negative) of the op's result, i32."""
    return _make("index", (), axis, I32)


def linear() -> Expr:
    """Row-major flattened index of the element, i32."""
    return _make("linear", (), None, I32)


# --- primitives ---------------------------------------------------------------------


def as_expr(operand: Operand, like: DType | None = None) -> Expr:
    """Python numbers become literals of the type of the other operand."""
    if isinstance(operand, Expr):
        return operand
    operand = _literal(operand)
    if like is not None and not isinstance(operand, bool):
        if like.is_float:
            return const(float(operand), like)
        if like in (I32, U32) and isinstance(operand, int):
            return const(operand, like)
    return const(operand)


def unary(name: str, a: Operand) -> Expr:
    return primitive(name, a)


def binary(name: str, a: Operand, b: Operand) -> Expr:
    if not isinstance(a, Expr):
        a = as_expr(a, b.dtype if isinstance(b, Expr) else None)
    elif not isinstance(b, Expr):
        b = as_expr(b, a.dtype)
    return primitive(name, a, b)


def primitive(name: str, *operands: Operand) -> Expr:
    """Apply a primitive, converting integers to float where a float is needed.

    Folds what is exact and safe for NaN and infinity: ``x*1``, ``x+0``, ``x/1``, ``x**1``, equal
    branches of ``where``, and literals of integer arithmetic. ``0*x`` stays (NaN). Floats of
    several types raise TypeError: one has to be cast. In one expression numbers of 16 bits are
    computed with as f32; casts and results are rounded.
    """
    rule = PRIMITIVES[name]
    if len(operands) != rule.arity:
        raise TypeError(f"{name} takes {rule.arity} operands, got {len(operands)}")
    args = tuple(
        [o if o.__class__ is Expr else as_expr(o, _type_beside(operands)) for o in operands]
    )
    alike = args[1:] if name == "where" else args
    if rule.result in CASTS:
        dtype = CASTS[rule.result]
        if dtype.is_narrow and args[0].dtype not in (F32, dtype):
            args = (_float(args[0]),)
    elif rule.result == "float":
        if name != "rand":
            args = tuple(map(_float, args))
        dtype = _common_float(name, args)
    else:
        dtype, last = alike[0].dtype, alike[-1].dtype
        if dtype is not last:
            if dtype.is_float != last.is_float:
                alike = tuple(map(_float, alike))
                args = (*args[:-2], *alike)
            dtype = _common_float(name, alike) if alike[0].dtype.is_float else dtype
        if rule.result != "same":
            dtype = BOOL if rule.result == "bool" else I32
    folded = _fold(name, args)
    if folded is None or (folded.dtype is not dtype and dtype.is_float):
        return _make(name, args, None, dtype)
    return folded


def _type_beside(operands: Sequence[Operand]) -> DType | None:
    """The type that literals among operands take: that of a float of 16 bits."""
    types = (o.dtype for o in operands if o.__class__ is Expr)  # type: ignore[union-attr]
    return next((dtype for dtype in types if dtype.is_narrow), None)


def _common_float(name: str, args: Sequence[Expr]) -> DType:
    """The one type of the floats among operands; f32 where there are none."""
    found = None
    for a in args:
        dtype = a.dtype
        if dtype is not found and dtype.is_float:
            if found is not None:
                raise TypeError(
                    f"{name} of {found} and {dtype}: both must be of one float type, so one has to "
                    "be cast"
                )
            found = dtype
    return found or F32


def _float(a: Expr) -> Expr:
    if a.dtype.is_float:
        return a
    if a.op in ("const", "dyn") and a.value is not None:
        return const(float(a.value)) if a.op == "const" else dyn(a.value, F32)
    return _make("to_float", (a,), None, F32)


def _is(a: Expr, value: float) -> bool:
    return a.op == "const" and a.value == value and a.dtype is not BOOL


def _fold(name: str, args: tuple[Expr, ...]) -> Expr | None:
    a = args[0]
    if len(args) == 2:
        return _fold_two(name, a, args[1])
    if name in ("to_float", "to_f16", "to_bf16") and a.dtype.is_float:
        return _fold_cast(name, a)
    if name == "to_int" and a.dtype is I32:
        return a
    if name == "neg" and a.op == "const" and a.value is not None:
        return const(-a.value, a.dtype)
    if name == "neg" and a.op == "neg":
        return a.args[0]
    return args[1] if name == "where" and args[1] is args[2] else None


def _fold_cast(name: str, a: Expr) -> Expr | None:
    """Casts that change nothing: to the type that there is, and back to where it came from."""
    if name == "to_float":
        return None if a.dtype.is_narrow else a
    to = CASTS[PRIMITIVES[name].result]
    if a.op == "to_float" and a.args[0].dtype is to:
        return a.args[0]
    return a if a.dtype is to else None


def _fold_two(name: str, a: Expr, b: Expr) -> Expr | None:
    if a.op != "const" and b.op != "const":
        return None
    if name == "mul":
        return b if _is(a, 1) else a if _is(b, 1) else _fold_literals(name, a, b)
    if name == "add":
        # x + 0.0 turns -0.0 into 0.0; both print as 0 and no rule distinguishes them.
        return b if _is(a, 0) else a if _is(b, 0) else _fold_literals(name, a, b)
    if name == "sub":
        return a if _is(b, 0) else _fold_literals(name, a, b)
    if name in ("div", "pow") and _is(b, 1):
        return a
    if name in ("floordiv", "mod") and _is(b, 1):
        return a if name == "floordiv" else const(0, a.dtype)
    return None


def _fold_literals(name: str, a: Expr, b: Expr) -> Expr | None:
    if a.op != "const" or b.op != "const" or a.dtype.is_float or a.dtype is BOOL:
        return None
    assert a.value is not None and b.value is not None
    values = {"mul": a.value * b.value, "add": a.value + b.value, "sub": a.value - b.value}
    return const(int(values[name]), a.dtype)


def maximum(a: Operand, b: Operand) -> Expr:
    return binary("max", a, b)


def minimum(a: Operand, b: Operand) -> Expr:
    return binary("min", a, b)


def power(a: Operand, b: Operand) -> Expr:
    return binary("pow", a, b)


def equal(a: Operand, b: Operand) -> Expr:
    return binary("eq", a, b)


def not_equal(a: Operand, b: Operand) -> Expr:
    return binary("ne", a, b)


def where(condition: Expr, a: Operand, b: Operand) -> Expr:
    left = a.dtype if isinstance(a, Expr) else None
    right = b.dtype if isinstance(b, Expr) else None
    return primitive("where", condition, as_expr(a, right), as_expr(b, left))


def exp(a: Operand) -> Expr:
    return unary("exp", a)


def log(a: Operand) -> Expr:
    return unary("log", a)


def sqrt(a: Operand) -> Expr:
    return unary("sqrt", a)


def tanh(a: Operand) -> Expr:
    return unary("tanh", a)


def sigmoid(a: Operand) -> Expr:
    return unary("sigmoid", a)


def absolute(a: Operand) -> Expr:
    return unary("abs", a)


def to_float(a: Expr) -> Expr:
    return unary("to_float", a)


def cast(a: Expr, dtype: DType) -> Expr:
    """A float as another: f32 as a type of 16 bits, or the other way."""
    if a.dtype is dtype:
        return a
    wide = to_float(a)
    return unary(f"to_{dtype}", wide) if dtype.is_narrow else wide


def to_int(a: Expr) -> Expr:
    return unary("to_int", a)


def rand(seed: Operand, c0: Operand, c1: Operand, c2: Operand) -> Expr:
    """Uniform in [0, 1), a pure function of its four integer operands."""
    return primitive("rand", seed, c0, c1, c2)


def stop(a: Expr) -> Expr:
    """``a``, through which no gradient flows."""
    return unary("stop", a)


def grad_as(value: Expr, surrogate: Expr) -> Expr:
    """``value``, differentiated as if it were ``surrogate``."""
    return primitive("grad_as", value, surrogate)


# --- traversal ----------------------------------------------------------------------


@functools.lru_cache(4096)
def walk(*roots: Expr) -> tuple[Expr, ...]:
    """Every distinct node, operands before users; the order is stable."""
    seen: set[Expr] = set()
    found: list[Expr] = []
    stack: list[tuple[Expr, bool]] = [(r, False) for r in reversed(roots)]
    while stack:
        node, ready = stack.pop()
        if ready:
            found.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((a, False) for a in reversed(node.args) if a not in seen)
    return tuple(found)


def arguments(*roots: Expr) -> dict[int, Expr]:
    """The ``arg`` leaves by input number, ascending."""
    return dict(_arguments(*roots))


@functools.lru_cache(4096)
def _arguments(*roots: Expr) -> tuple[tuple[int, Expr], ...]:
    found = {int(e.value): e for e in walk(*roots) if e.op == "arg" and e.value is not None}
    return tuple(sorted(found.items()))
