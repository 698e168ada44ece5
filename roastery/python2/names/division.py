"""``/`` of Python 2: of whole numbers it drops the fraction, rounding down."""

from __future__ import annotations

import operator
import sys
from typing import Any

from .arithmetic import wide_sides


def _whole(value: Any) -> bool:
    """Whether it is a whole number, or an array of such."""
    if isinstance(value, int):
        return True
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return False
    if isinstance(value, numpy.generic | numpy.ndarray):
        return bool(value.dtype.kind in "iub")
    return False


def _lists(value: Any) -> Any:
    """A list beside an array divides as an array: what kind it is shows its elements."""
    numpy = sys.modules.get("numpy")
    return numpy.asarray(value) if numpy is not None and isinstance(value, list | tuple) else value


def _divide(left: Any, right: Any, plain: Any) -> Any:
    left, right = wide_sides(left, right)
    if _whole(left) and _whole(right):
        return operator.floordiv(left, right)
    numpy = sys.modules.get("numpy")
    if numpy is not None and (isinstance(left, numpy.ndarray) or isinstance(right, numpy.ndarray)):
        one, two = _lists(left), _lists(right)
        if _whole(one) and _whole(two):
            return numpy.floor_divide(one, two)
    for owner, other, name in ((left, right, "__div__"), (right, left, "__rdiv__")):
        method = getattr(type(owner), name, None)
        if method is not None:
            result = method(owner, other)
            if result is not NotImplemented:
                return result
    return plain(left, right)


def py2_div(left: Any, right: Any) -> Any:
    """``left / right``."""
    return _divide(left, right, operator.truediv)


def py2_idiv(left: Any, right: Any) -> Any:
    """The new value of ``left`` in ``left /= right``; an array is changed in place."""
    method = getattr(type(left), "__idiv__", None)
    if method is not None:
        result = method(left, right)
        if result is not NotImplemented:
            return result
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(left, numpy.ndarray):
        if _whole(left) and _whole(_lists(right)):
            return operator.ifloordiv(left, _lists(right))
        return operator.itruediv(left, right)
    return _divide(left, right, operator.itruediv)


def py2_idiv_item(owner: Any, key: Any, right: Any) -> None:
    """``owner[key] /= right``."""
    owner[key] = py2_idiv(owner[key], right)


def py2_idiv_attribute(owner: Any, name: str, right: Any) -> None:
    """``owner.name /= right``."""
    setattr(owner, name, py2_idiv(getattr(owner, name), right))


def py2_index(bound: Any) -> Any:
    """A bound of a slice: a float without its fraction."""
    if isinstance(bound, float):
        return int(bound)
    kind = getattr(getattr(bound, "dtype", None), "kind", "")
    return int(bound) if kind == "f" and getattr(bound, "ndim", 1) == 0 else bound


class _Key:
    """``py2_key[1:3, 0]`` is what stands between the brackets."""

    def __getitem__(self, key: Any) -> Any:
        return key


py2_key = _Key()
