"""``+``, ``-``, ``*`` ... of numpy's small numbers with Python's: the sum was wide.

``np.uint8(200) + 100`` was 300 and ``np.float32(1) / 3`` had 64 bits; numpy 2 keeps the kind, so
that pixels that are added up would wrap without a word.
"""

from __future__ import annotations

import builtins
import operator
import sys
from typing import Any

_PYTHON = frozenset((int, float, complex))
#: numpy's kinds of numbers, and what they became beside one of Python's.
_WIDER: dict[type, Any] = {}
_NARROW = {
    "int64": ("int8", "int16", "int32", "uint8", "uint16", "uint32"),
    "float64": ("float16", "float32"),
    "complex128": ("complex64",),
}


def widen_numbers(numpy: Any) -> None:
    """Know numpy's kinds: called when it is there."""
    for wide, names in _NARROW.items():
        _WIDER.update({getattr(numpy, name): getattr(numpy, wide) for name in names})


def wide_sides(left: Any, right: Any) -> tuple[Any, Any]:
    """Both sides of an operator, the small one wide where the other one is Python's."""
    wide = _WIDER.get(type(left))
    if wide is not None:
        return (wide(left) if type(right) in _PYTHON else left), right
    wide = _WIDER.get(type(right))
    if wide is not None and type(left) in _PYTHON:
        return left, wide(right)
    return left, right


def _beyond(operate: Any, left: Any, right: Any) -> Any:
    """An array of small numbers with one that it does not hold: the array becomes wide."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return operate(left, right)
    sides = [_smallest(numpy, side) if type(side) is int else side for side in (left, right)]
    return operate(*sides)


def _smallest(numpy: Any, number: int) -> Any:
    return numpy.asarray(number, numpy.min_scalar_type(number))


# Each with its sign, not made of one function: loops of scripts spend their time here.


def py2_add(left: Any, right: Any) -> Any:
    """``left + right``."""
    if type(left) in _WIDER or type(right) in _WIDER:
        left, right = wide_sides(left, right)
    try:
        return left + right
    except OverflowError:
        return _beyond(operator.add, left, right)


def py2_sub(left: Any, right: Any) -> Any:
    """``left - right``."""
    if type(left) in _WIDER or type(right) in _WIDER:
        left, right = wide_sides(left, right)
    try:
        return left - right
    except OverflowError:
        return _beyond(operator.sub, left, right)


def py2_mul(left: Any, right: Any) -> Any:
    """``left * right``."""
    if type(left) in _WIDER or type(right) in _WIDER:
        left, right = wide_sides(left, right)
    try:
        return left * right
    except OverflowError:
        return _beyond(operator.mul, left, right)


def py2_iadd(left: Any, right: Any) -> Any:
    """The new value of ``left`` in ``left += right``."""
    if type(left) in _WIDER or type(right) in _WIDER:
        left, right = wide_sides(left, right)
    left += right
    return left


def py2_isub(left: Any, right: Any) -> Any:
    """The new value of ``left`` in ``left -= right``."""
    if type(left) in _WIDER or type(right) in _WIDER:
        left, right = wide_sides(left, right)
    left -= right
    return left


def py2_imul(left: Any, right: Any) -> Any:
    """The new value of ``left`` in ``left *= right``."""
    if type(left) in _WIDER or type(right) in _WIDER:
        left, right = wide_sides(left, right)
    left *= right
    return left


def py2_mod(left: Any, right: Any) -> Any:
    """``left % right``."""
    left, right = wide_sides(left, right)
    return left % right


def py2_pow(left: Any, right: Any) -> Any:
    """``left ** right``."""
    left, right = wide_sides(left, right)
    return left**right


def py2_into_item(operate: Any, owner: Any, key: Any, right: Any) -> None:
    """``owner[key] += right``."""
    owner[key] = operate(owner[key], right)


def py2_into_attribute(operate: Any, owner: Any, name: str, right: Any) -> None:
    """``owner.name += right``."""
    setattr(owner, name, operate(getattr(owner, name), right))


def sum_(values: Any, start: Any = 0) -> Any:
    """``sum``: of small numbers the sum is wide."""
    kind: Any = getattr(getattr(values, "dtype", None), "type", None)
    wide = _WIDER.get(kind) if getattr(values, "ndim", 0) == 1 else None
    if wide is not None and type(start) in _PYTHON:
        return builtins.sum(values.astype(wide), start)
    found = values if isinstance(values, list | tuple) else list(values)
    if found and type(found[0]) in _WIDER and type(start) in _PYTHON:
        found = [_WIDER[type(found[0])](found[0]), *found[1:]]
    return builtins.sum(found, start)
