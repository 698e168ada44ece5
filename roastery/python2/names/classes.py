"""Classes of Python 2: methods that have other names now, and ``__metaclass__``."""

from __future__ import annotations

import builtins
import contextlib
from typing import Any

_RENAMED = {
    "__nonzero__": "__bool__",
    "next": "__next__",
    "__unicode__": "__str__",
    "__div__": "__truediv__",
    "__rdiv__": "__rtruediv__",
    "__idiv__": "__itruediv__",
}


def build_class(function: Any, name: str, *bases: Any, **words: Any) -> Any:
    """What a ``class`` statement calls."""
    made = builtins.__build_class__(function, name, *bases, **words)
    own = vars(made)
    meta = own.get("__metaclass__")
    if meta is None:  # or the module's, which is that of classes without bases
        meta = getattr(function, "__globals__", {}).get("__metaclass__") if not bases else None
    if meta is not None and type(made) is not meta and "metaclass" not in words:
        body = {k: v for k, v in own.items() if k not in ("__dict__", "__weakref__")}
        for slot in _slots(body):
            body.pop(slot, None)
        made = meta(name, made.__bases__, body)
        if not isinstance(made, type):
            return made
    _complete(made)
    return made


def _slots(body: dict[str, Any]) -> tuple[str, ...]:
    slots = body.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _complete(made: Any) -> None:
    own = vars(made)
    for old, new in _RENAMED.items():
        if old in own and new not in own and callable(own[old]):
            if old == "next" and "__iter__" not in own and not hasattr(made, "__iter__"):
                continue  # it is no iterator
            if old == "__unicode__" and _own_str(made):
                continue
            _set(made, new, own[old])
    if "__cmp__" in own and "__lt__" not in own:
        for name, test in _COMPARISONS.items():
            if name not in own:
                _set(made, name, _comparison(test))
    if own.get("__hash__", 0) is None and ("__eq__" in own or "__cmp__" in own):
        hashes = next((b.__hash__ for b in made.__mro__[1:] if b.__hash__ is not None), None)
        _set(made, "__hash__", hashes)
    if "__getslice__" in own or "__setslice__" in own or "__delslice__" in own:
        _slices(made, own)


def _own_str(made: Any) -> bool:
    return made.__str__ is not object.__str__


def _set(made: Any, name: str, value: Any) -> None:
    with contextlib.suppress(AttributeError, TypeError):  # a class of its own kind
        setattr(made, name, value)


_COMPARISONS = {
    "__lt__": lambda order: order < 0,
    "__le__": lambda order: order <= 0,
    "__gt__": lambda order: order > 0,
    "__ge__": lambda order: order >= 0,
    "__eq__": lambda order: order == 0,
    "__ne__": lambda order: order != 0,
}


def _comparison(test: Any) -> Any:
    def compare(self: Any, other: Any) -> Any:
        order = self.__cmp__(other)
        return order if order is NotImplemented else test(order)

    return compare


def _slices(made: Any, own: Any) -> None:
    """Methods for ``x[1:2]`` alone go before those for any key."""
    for old, new in (
        ("__getslice__", "__getitem__"),
        ("__setslice__", "__setitem__"),
        ("__delslice__", "__delitem__"),
    ):
        if old in own:
            _set(made, new, _sliced(own[old], getattr(made, new, None)))


def _sliced(of_slice: Any, of_key: Any) -> Any:
    def method(self: Any, key: Any, *value: Any) -> Any:
        if isinstance(key, slice) and key.step is None:
            size = len(self) if hasattr(self, "__len__") else 0
            ends = [key.start or 0, (1 << 31) - 1 if key.stop is None else key.stop]
            first, last = (end + size if end < 0 else end for end in ends)
            return of_slice(self, first, last, *value)
        if of_key is None:
            raise TypeError(f"{type(self).__name__} takes slices alone")
        return of_key(self, key, *value)

    return method
