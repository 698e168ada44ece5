"""Order of Python 2: ``cmp``, sorting by it, and an order between kinds that have none now."""

from __future__ import annotations

import builtins
import contextlib
import functools
import operator
from typing import Any


def cmp(left: Any, right: Any) -> int:
    """-1, 0 or 1."""
    method = getattr(type(left), "__cmp__", None)
    if method is not None:
        return int(method(left, right))
    if left == right:
        return 0
    try:
        return -1 if left < right else 1
    except TypeError:
        return _between_kinds(left, right)


def _rank(value: Any) -> tuple[int, str]:
    """None before numbers before everything else by the name of its kind."""
    if value is None:
        return 0, ""
    if isinstance(value, int | float):
        return 1, ""
    return 2, "str" if isinstance(value, str | bytes) else type(value).__name__


def _between_kinds(left: Any, right: Any) -> int:
    if isinstance(left, list | tuple) and type(left) is type(right):
        for one, two in zip(left, right, strict=False):
            if one != two:
                return cmp(one, two)
        return cmp(len(left), len(right))
    if isinstance(left, dict) and isinstance(right, dict):
        one, two = (sorted_(list(each.items())) for each in (left, right))
        return cmp(len(left), len(right)) or cmp(one, two)
    one_rank, two_rank = _rank(left), _rank(right)
    if one_rank != two_rank:
        return -1 if one_rank < two_rank else 1
    return -1 if id(left) < id(right) else int(id(left) > id(right))


_by_cmp = functools.cmp_to_key(cmp)


def _key(compare: Any, key: Any) -> Any:
    if compare is None:
        return key
    wrap = functools.cmp_to_key(compare)
    return wrap if key is None else lambda value: wrap(key(value))


def _any_order(key: Any) -> Any:
    return _by_cmp if key is None else lambda value: _by_cmp(key(value))


def sorted_(values: Any, cmp: Any = None, key: Any = None, reverse: Any = False) -> list[Any]:
    """``sorted`` with ``cmp``, and of values that have no order."""
    found = list(values)
    wanted = _key(cmp, key)
    if cmp is None:
        with contextlib.suppress(TypeError):
            return builtins.sorted(found, key=wanted, reverse=bool(reverse))
        wanted = _any_order(key)
    return builtins.sorted(found, key=wanted, reverse=bool(reverse))


def py2_sort(values: Any, *args: Any, **kwargs: Any) -> Any:
    """``values.sort(...)``: of a list with ``cmp``; of anything else its own."""
    if not isinstance(values, list):
        if not hasattr(values, "sort") and hasattr(values, "sort_values"):  # pandas
            return _sort_frame(values, *args, **kwargs)
        return values.sort(*args, **kwargs)
    values[:] = sorted_(values, *args, **kwargs)
    return None


def _sort_frame(frame: Any, columns: Any = None, **kwargs: Any) -> Any:
    columns = kwargs.pop("by", columns)
    if columns is None:
        return frame.sort_index(**kwargs)
    return frame.sort_values(columns, **kwargs)


def min_(*args: Any, **kwargs: Any) -> Any:
    """``min``, also of values that have no order."""
    return _extreme(builtins.min, args, kwargs)


def max_(*args: Any, **kwargs: Any) -> Any:
    """``max``, also of values that have no order."""
    return _extreme(builtins.max, args, kwargs)


def _extreme(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if len(args) == 1 and not hasattr(args[0], "__len__"):
        args = (list(args[0]),)  # it may be needed twice
    with contextlib.suppress(TypeError):
        return function(*args, **kwargs)
    return function(*args, **{**kwargs, "key": _any_order(kwargs.get("key"))})


def _otherwise(test: Any, left: Any, right: Any, error: TypeError) -> Any:
    """A comparison of what has no order now."""
    if "not supported between instances" not in str(error):
        raise error
    answer = test(_between_kinds(left, right), 0)
    shape = getattr(left, "shape", ()) or getattr(right, "shape", ())
    if not shape:
        return answer
    import numpy

    return numpy.full(shape, answer)


# Each with its sign, not made of one function: loops of scripts spend their time here.


def py2_lt(left: Any, right: Any) -> Any:
    """``left < right``."""
    try:
        return left < right
    except TypeError as error:
        return _otherwise(operator.lt, left, right, error)


def py2_le(left: Any, right: Any) -> Any:
    """``left <= right``."""
    try:
        return left <= right
    except TypeError as error:
        return _otherwise(operator.le, left, right, error)


def py2_gt(left: Any, right: Any) -> Any:
    """``left > right``."""
    try:
        return left > right
    except TypeError as error:
        return _otherwise(operator.gt, left, right, error)


def py2_ge(left: Any, right: Any) -> Any:
    """``left >= right``."""
    try:
        return left >= right
    except TypeError as error:
        return _otherwise(operator.ge, left, right, error)
