"""What methods of Python 2's dictionaries, iterators and buffers became."""

from __future__ import annotations

from collections.abc import ItemsView, KeysView, ValuesView
from typing import Any

from .byte_string import ByteString, as_string, decoded_string, encoded_string, to_bytes

_VIEWS = (KeysView, ItemsView, ValuesView)


def py2_list(found: Any) -> Any:
    """A view of a dictionary as a list; anything else as it is."""
    return list(found) if isinstance(found, _VIEWS) else found


def _iterates(old: str, new: str) -> Any:
    def call(owner: Any) -> Any:
        method = getattr(owner, old, None)
        return method() if method is not None else iter(getattr(owner, new)())

    call.__name__ = f"py2_{old}"
    call.__doc__ = f"``owner.{old}()``."
    return call


def _views(old: str, new: str) -> Any:
    def call(owner: Any) -> Any:
        method = getattr(owner, old, None)
        return method() if method is not None else getattr(owner, new)()

    call.__name__ = f"py2_{old}"
    call.__doc__ = f"``owner.{old}()``."
    return call


py2_iteritems = _iterates("iteritems", "items")
py2_iterkeys = _iterates("iterkeys", "keys")
py2_itervalues = _iterates("itervalues", "values")
py2_viewitems = _views("viewitems", "items")
py2_viewkeys = _views("viewkeys", "keys")
py2_viewvalues = _views("viewvalues", "values")


def py2_has_key(owner: Any, *args: Any, **kwargs: Any) -> Any:
    """``owner.has_key(key)``."""
    method = getattr(owner, "has_key", None)
    if method is not None:
        return method(*args, **kwargs)
    (key,) = args or kwargs.values()
    return key in owner


def py2_next(owner: Any) -> Any:
    """``owner.next()``."""
    method = getattr(owner, "next", None)
    return method() if method is not None else next(owner)


_HANDED_ON = {
    "has_key": lambda owner: owner.__contains__,
    "iteritems": lambda owner: lambda: iter(owner.items()),
    "iterkeys": lambda owner: lambda: iter(owner.keys()),
    "itervalues": lambda owner: lambda: iter(owner.values()),
    "next": lambda owner: owner.__next__,
}


def py2_method(owner: Any, name: str) -> Any:
    """``owner.name``, which is not called; where it is gone, what does the same."""
    try:
        return getattr(owner, name)
    except AttributeError:
        if not hasattr(owner, "__next__" if name == "next" else "keys"):
            raise
    return _HANDED_ON[name](owner)


def py2_encode(owner: Any, *args: Any, **kwargs: Any) -> Any:
    """``owner.encode(...)``."""
    if isinstance(owner, str | bytes):
        return encoded_string(owner, *args, **kwargs)
    return owner.encode(*args, **kwargs)


def py2_decode(owner: Any, *args: Any, **kwargs: Any) -> Any:
    """``owner.decode(...)``."""
    if isinstance(owner, str | bytes | bytearray):
        return decoded_string(owner, *args, **kwargs)
    return owner.decode(*args, **kwargs)


def py2_join(owner: Any, parts: Any) -> Any:
    """``"text".join(parts)``, where some of them may be bytes."""
    found = list(parts)
    if not any(isinstance(part, bytes) for part in found):
        return owner.join(found)
    return ByteString(to_bytes(owner)).join(found)


def py2_tostring(owner: Any, *args: Any, **kwargs: Any) -> Any:
    """``owner.tostring(...)`` of an array."""
    method = getattr(owner, "tobytes", None) or owner.tostring
    return as_string(method(*args, **kwargs))


def py2_translate(owner: Any, *args: Any, **kwargs: Any) -> Any:
    """``owner.translate(table, letters)`` of a string: without the letters."""
    if isinstance(owner, bytes):
        table, *rest = args
        return ByteString(bytes(owner).translate(to_bytes(table), *map(to_bytes, rest)))
    if not isinstance(owner, str) or len(args) != 2:
        return owner.translate(*args, **kwargs)
    table, letters = args
    left = owner.translate({ord(letter): None for letter in str(letters)})
    return left if table is None else left.translate(table)


def py2_parse(owner: Any, data: Any) -> Any:
    """``owner.ParseFromString(data)``, text or bytes."""
    return owner.ParseFromString(to_bytes(data))


def py2_merge(owner: Any, data: Any) -> Any:
    """``owner.MergeFromString(data)``, text or bytes."""
    return owner.MergeFromString(to_bytes(data))


def py2_message(error: Any) -> Any:
    """``error.message`` of an exception."""
    found = getattr(error, "message", None)
    if found is not None:
        return found
    return error.args[0] if len(error.args) == 1 else ""


def py2_raised(kind: Any, value: Any) -> Any:
    """What ``raise kind, value`` raises."""
    if not isinstance(kind, type):
        return kind
    if isinstance(value, kind):
        return value
    if value is None:
        return kind()
    return kind(*value) if isinstance(value, tuple) else kind(value)


def py2_equal(left: Any, right: Any) -> Any:
    """``left == right``, where one is an empty list: an array is none."""
    if hasattr(left, "__array__") or hasattr(right, "__array__"):
        return False
    return left == right


def py2_unequal(left: Any, right: Any) -> Any:
    """``left != right``, likewise."""
    return not py2_equal(left, right)


def py2_bytes(data: bytes) -> ByteString:
    """A literal with bytes in it that are no ASCII."""
    return ByteString(data)
