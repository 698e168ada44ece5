"""What kernels compute: the IR's scalar expressions over a kernel's own variables.

To the primitives of :mod:`ir.expr` come leaves (a variable) and a few operations that scalars do
not have: reading memory, going across the lanes of a tile.

A kernel computes on *tiles*: every lane of the loops of kind ``vector`` at once. A variable's
``axes`` are the tile's dimensions along which it differs; a tile of which no dimension is left is
of one element, which is not a scalar to every target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from compiler.kernel import Scratch
from ir import expr as e
from ir.expr import Expr, Number
from ir.graph import Value
from ir.types import BOOL, F32, I32, DType

from .monomial import Monomial

Axes = frozenset[int]  # dimensions of the tile
SCALAR: Axes = frozenset()

ArgumentKind = Literal["pointer", "size", "number"]
ArgumentValue = Value | Scratch | Monomial | Number


@dataclass(slots=True, eq=False)
class Local:
    """A name in a kernel: of a value, of a loop's position, of what is gathered in a loop.

    ``stem`` is what its neutral name starts with, ``hint`` its readable name. It does not change.
    """

    stem: str
    hint: str = ""
    dtype: DType = F32
    axes: Axes = SCALAR


@dataclass(slots=True, eq=False)
class KernelArgument(Local):
    """What a kernel is given: a buffer's address, a size, a number that follows from a shape.

    ``divisible``: it is declared a multiple of 16.
    """

    kind: ArgumentKind = "size"
    given: ArgumentValue = 0
    divisible: bool = False


@dataclass(slots=True, eq=False)
class Address(Local):
    """Of elements of ``dtype`` in memory."""


def computed(dtype: DType) -> DType:
    """The type in which kernels compute with a tensor's elements."""
    return F32 if dtype.is_narrow else dtype


def as_computed(value: Expr) -> Expr:
    """What kernels compute with: a float of 16 bits as f32."""
    return e.node("to_float", (value,), None, F32) if value.dtype.is_narrow else value


def as_held(value: Expr, dtype: DType) -> Expr:
    """What memory of a type holds of what was computed."""
    fits = not dtype.is_narrow or value.dtype is dtype
    return value if fits else e.node(f"to_{dtype}", (value,), None, dtype)


def ref(variable: Local) -> Expr:
    return e.node("ref", (), variable, variable.dtype)


def constant(name: str) -> Expr:
    """A number that a configuration of the kernel sets: ``BLOCK``. ``programs``: see Loop."""
    return e.node("constant", (), name, I32)


def element(pointer: Expr, index: Expr, mask: tuple[Expr, ...] = ()) -> Expr:
    """A place in a buffer, where all of ``mask`` hold; elsewhere its memory is not touched."""
    return e.node("element", (pointer, index, *mask), None, pointer.dtype)


def address_of(pointer: Expr, index: Expr, mask: tuple[Expr, ...] = ()) -> Expr:
    """Of an element; where ``mask`` does not hold, of some zeros instead."""
    return e.node("address", (pointer, index, *mask), None, pointer.dtype)


def read(place: Expr, other: Number | None = None) -> Expr:
    """What is at a place; where its mask does not hold ``other``; without one, anything."""
    return e.node("load", (place,), other, place.dtype)


def across(kind: str, tile: Expr, axes: tuple[int, ...]) -> Expr:
    """One value of a tile along some of its dimensions, which keep the extent 1.

    ``kind``: sum, prod, max, min, of which NaN wins both; or: the bits that any integer has.
    """
    return e.node("across", (tile,), (kind, axes), tile.dtype)


def running_sum(tile: Expr, axis: int) -> Expr:
    """Of every element of a tile of integers, along a dimension, and those before it. Only targets
    whose programs are many lanes know it."""
    return e.node("running_sum", (tile,), axis, tile.dtype)


def any_lane(condition: Expr) -> Expr:
    """Whether a condition holds anywhere in the tile."""
    return e.node("any", (condition,), None, BOOL)


class DotKind(NamedTuple):
    """How tiles are multiplied.

    Attributes:
        precision: ``ieee``; ``tf32``: factors keep 10 bits of their mantissa; ``tf32x3``: three
            such products of both halves of the factors, whose sum is as exact as float32;
            ``half``: factors have 16 bits.
        held: whether neighbours in memory do not lie along the depth. Matrix units read 32-bit
            operands from shared memory only where they do: tiles then pass through registers;
            loaded there otherwise, they would be turned by 4 bytes at a time.
    """

    precision: str
    held: bool = False


def dot(a: Expr, b: Expr, total: Expr, factors: DotKind) -> Expr:
    """``total`` plus the matrix product of tiles (rows, depth) and (depth, columns)."""
    return e.node("dot", (a, b, total), factors, F32)


def cdiv(a: Expr, b: Expr) -> Expr:
    """a / b, rounded up; a is not negative, b is positive."""
    return e.node("cdiv", (a, b), None, I32)


def as_rounded(a: Expr) -> Expr:
    """A float as memory holds it: a product is not added to before it is rounded."""
    return e.node("rounded", (a,), None, a.dtype)


def nearest_quotient(a: Expr, b: Expr) -> Expr:
    """a / b, of all floats the nearest one, whatever a target makes of other divisions."""
    return e.node("nearest_quotient", (a, b), None, a.dtype)


def either_bits(a: Expr, b: Expr) -> Expr:
    """The bits that one of two integers has, or both."""
    return e.node("or", (a, b), None, a.dtype)


def both_bits(a: Expr, b: Expr) -> Expr:
    """The bits that both of two integers have."""
    return e.node("and", (a, b), None, a.dtype)


def order_key(a: Expr) -> Expr:
    """An integer for a float: greater ones have greater ones, 0 and -0 the same, and whatever is no
    number the greatest there is."""
    return e.node("order_key", (a,), None, I32)


def byte(word: Expr, number: Expr) -> Expr:
    """A byte of an integer, counted from the lowest, as a number from 0 to 255."""
    return e.node("byte", (word, number), None, I32)


def bit(word: Expr, number: Expr) -> Expr:
    """Whether a bit of an integer is 1; they are counted from the lowest."""
    return e.node("bit", (word, number), None, BOOL)


def spread(a: Expr, axes: Axes) -> Expr:
    """A scalar as a tile of one element that counts as varying along ``axes``."""
    return e.node("spread", (a,), axes, a.dtype)


def as_i32(a: Expr) -> Expr:
    """An index, as wide as the kernel has them, as the IR's integer."""
    return a if a.op == "const" else e.node("as_i32", (a,), None, I32)


def every(conditions: tuple[Expr, ...]) -> Expr:
    """All conditions at once; of one or more."""
    total = conditions[0]
    for condition in conditions[1:]:
        total = e.node("and", (total, condition), None, BOOL)
    return total


def axes_of(value: Expr) -> Axes:
    """The tile's dimensions along which an expression differs."""
    if value.op == "ref":
        axes: Axes = value.value.axes
        return axes
    if value.op == "spread":
        spreading: Axes = value.value
        return spreading
    if value.op == "any":
        return SCALAR
    if value.op == "dot":
        return frozenset({0, 1})
    found = SCALAR
    for operand in value.args:
        found |= axes_of(operand)
    return found.difference(value.value[1]) if value.op == "across" else found
