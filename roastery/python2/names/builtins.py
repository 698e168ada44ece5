"""The builtins of rewritten code: Python 3's, with Python 2's names and meanings over them."""

from __future__ import annotations
import __future__

import builtins
import contextlib
import decimal
import functools
import importlib
import itertools
import math
import sys
from types import ModuleType
from typing import Any

from . import arithmetic, division, formatting, mappings, ordering
from .byte_string import ByteString, decoded_string, text_of, to_bytes
from .classes import build_class
from .executing import compile_, eval_, exec_, execfile
from .files import file, open_
from .imports import import_
from .ordering import cmp, max_, min_, py2_sort, sorted_
from .room import BUILTINS


class _Strings(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, str | bytes)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, str | bytes)


class basestring(metaclass=_Strings):
    """What text and bytes have in common."""


class _Unicode(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, str)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, str)

    def __eq__(cls, other: object) -> bool:
        return other is str or other is cls

    def __hash__(cls) -> int:
        return hash(str)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if not args:
            return ""
        value = args[0]
        if isinstance(value, bytes | bytearray):
            encoding = args[1] if len(args) > 1 else kwargs.get("encoding", "utf-8")
            errors = args[2] if len(args) > 2 else kwargs.get("errors", "strict")
            return decoded_string(value, encoding, errors)
        method = getattr(type(value), "__unicode__", None)
        return str(value) if method is None else method(value)


class unicode(metaclass=_Unicode):
    """Text."""


def isinstance_(value: Any, kinds: Any) -> bool:
    """``isinstance``; bytes that come from Python 2's names are a ``str``."""
    if builtins.isinstance(value, kinds):
        return True
    every = kinds if builtins.isinstance(kinds, tuple) else (kinds,)
    return builtins.isinstance(value, ByteString) and str in every


def range_(*args: Any) -> list[int]:
    return list(range(*args))


def map_(function: Any, *sequences: Any) -> list[Any]:
    """A list; shorter sequences are filled up with None; without a function, tuples."""
    if not sequences:
        raise TypeError("map() requires at least two args")
    if function is str:
        function = formatting.py2_str
    if len(sequences) == 1:
        (values,) = sequences
        return list(values) if function is None else [function(value) for value in values]
    rows = itertools.zip_longest(*sequences)
    return [row if function is None else function(*row) for row in rows]


def filter_(function: Any, values: Any) -> Any:
    """A string or tuple of one, else a list."""
    found = list(filter(function, values))
    if isinstance(values, str):
        return "".join(found)
    return tuple(found) if isinstance(values, tuple) else found


def zip_(*sequences: Any) -> list[Any]:
    return list(zip(*sequences, strict=False))


def round_(number: Any, ndigits: Any = 0) -> Any:
    """A float; halves go away from zero."""
    if hasattr(number, "shape") and getattr(number, "shape", ()) != ():
        return builtins.round(number, ndigits)
    value = float(number)
    if not math.isfinite(value):
        return value
    try:
        exact = decimal.Decimal(value).quantize(
            decimal.Decimal(1).scaleb(-int(ndigits)), decimal.ROUND_HALF_UP
        )
    except decimal.InvalidOperation:  # more digits than it has
        return value
    return float(exact)


def raw_input(prompt: Any = "") -> str:
    return builtins.input(prompt)


def input_(prompt: Any = "") -> Any:
    """What the line means as an expression where it is called."""
    frame = sys._getframe(1)
    return eval(builtins.input(prompt), frame.f_globals, frame.f_locals)


def chr_(number: int) -> Any:
    """A string of one: above 127 it is a byte."""
    if not 0 <= number < 256:
        raise ValueError("chr() arg not in range(256)")
    return chr(number) if number < 128 else ByteString([number])


def oct_(number: int) -> str:
    text = oct(number).replace("0o", "0")
    return "0" if text == "00" else text


def apply(function: Any, args: Any = (), kwargs: Any = None) -> Any:
    return function(*args, **(kwargs or {}))


def buffer(value: Any, offset: int = 0, size: int = -1) -> Any:
    """The bytes of a string, an array or a map of memory."""
    view = memoryview(to_bytes(value)).cast("B")
    return ByteString(view[offset:] if size < 0 else view[offset : offset + size])


def coerce(left: Any, right: Any) -> tuple[Any, Any]:
    kind = type(left + right)
    return kind(left), kind(right)


def reload_(module: Any) -> Any:
    """Python 2's idiom ``reload(sys)`` changes nothing; other modules are read again."""
    real = getattr(module, "_real", module)
    if real is None or real is sys or real is builtins:
        return module
    return importlib.reload(real)


def print_(*values: Any, sep: Any = None, end: Any = None, file: Any = None, **words: Any) -> None:
    """``print``. No space comes after what ends a line, nor, where the statement ends with a comma,
    before a line's end: as in Python 2, a stream's ``softspace`` says that a space is owed."""
    stream = sys.stdout if file is None else file
    if words or sep is not None or _is_function(sys._getframe(1).f_globals):
        builtins.print(*map(_text, values), sep=sep, end=end, file=stream, **words)
        return
    parts: list[str] = []
    owed = bool(getattr(stream, "softspace", 0))
    for value in values:
        text = _text(value)
        parts += [" ", text] if owed else [text]
        owed = (
            text.endswith(" ") or not text[-1:].isspace()
            if isinstance(value, str | bytes)
            else True
        )
    if end == " ":  # as the statement's last comma is written now
        _owe(stream, owed)
        stream.write("".join(parts))
    else:
        _owe(stream, False)
        builtins.print("".join(parts), end=end, file=stream)


def _is_function(names: dict[str, Any]) -> bool:
    """Whether a module has made ``print`` a function."""
    return isinstance(names.get("print_function"), __future__._Feature)


def _owe(stream: Any, space: bool) -> None:
    with contextlib.suppress(AttributeError, TypeError):  # not every stream takes attributes
        stream.softspace = int(space)


def _text(value: Any) -> str:
    if type(value) is float:
        return formatting.twelve_digits(value)
    return text_of(value) if isinstance(value, bytes) else str(value)


def _names() -> dict[str, Any]:
    own = {
        "StandardError": Exception,
        "__build_class__": build_class,
        "__import__": import_,
        "apply": apply,
        "basestring": basestring,
        "buffer": buffer,
        "chr": chr_,
        "cmp": cmp,
        "coerce": coerce,
        "compile": compile_,
        "eval": eval_,
        "exec": exec_,
        "execfile": execfile,
        "file": file,
        "filter": filter_,
        "input": input_,
        "intern": lambda text: sys.intern(str(text)),
        "isinstance": isinstance_,
        "long": int,
        "map": map_,
        "max": max_,
        "min": min_,
        "oct": oct_,
        "open": open_,
        "print": print_,
        "py2_sort": py2_sort,
        "range": range_,
        "raw_input": raw_input,
        "reduce": functools.reduce,
        "reload": reload_,
        "round": round_,
        "sorted": sorted_,
        "sum": arithmetic.sum_,
        "unichr": chr,
        "unicode": unicode,
        "xrange": range,
        "zip": zip_,
    }
    for module in (arithmetic, division, formatting, mappings, ordering):
        own |= {name: value for name, value in vars(module).items() if name.startswith("py2_")}
    return own


@functools.cache
def python2_builtins() -> ModuleType:
    """The module that stands as ``__builtins__`` in the globals of rewritten code."""
    vars(BUILTINS).update(vars(builtins))
    vars(BUILTINS).update(_names())
    BUILTINS.__name__ = "__builtin__"
    return BUILTINS
