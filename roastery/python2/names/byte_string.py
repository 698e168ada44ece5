"""``str`` of Python 2 where it holds bytes: a ``bytes`` that goes along with text."""

from __future__ import annotations

import base64
import binascii
import codecs
from collections.abc import Iterator
from typing import Any

_QUIET = "surrogateescape"


def to_bytes(text: Any) -> Any:
    """Text as bytes; anything else as it is."""
    return text.encode("utf-8", _QUIET) if isinstance(text, str) else text


def text_of(data: bytes | bytearray) -> str:
    """Bytes as text: UTF-8, else Latin-1."""
    try:
        return bytes(data).decode("utf-8")
    except UnicodeDecodeError:
        return bytes(data).decode("latin-1")


def _plain(value: Any) -> Any:
    """An argument of a method of ``bytes``: text becomes bytes, in tuples and lists, too."""
    if isinstance(value, str):
        return to_bytes(value)
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return value


def as_string(value: Any) -> Any:
    """Bytes as :class:`ByteString`, anything else as it is."""
    return ByteString(value) if type(value) is bytes else value


class ByteString(bytes):
    """Bytes as Python 2 had them: an element is a string of one, and text is welcome.

    Together with text they give bytes again; equal to text that they spell, with the same hash.
    """

    def __str__(self) -> str:
        return text_of(self)

    def __repr__(self) -> str:
        return bytes.__repr__(self)[1:]

    def __format__(self, spec: str) -> str:
        return format(text_of(self), spec)

    def __reduce__(self) -> Any:
        return bytes, (bytes(self),)

    def __hash__(self) -> int:
        return hash(text_of(self))

    def __eq__(self, other: object) -> bool:
        return bytes.__eq__(self, _plain(other))

    def __ne__(self, other: object) -> bool:
        return bytes.__ne__(self, _plain(other))

    def __lt__(self, other: Any) -> bool:
        return bytes.__lt__(self, _plain(other))

    def __le__(self, other: Any) -> bool:
        return bytes.__le__(self, _plain(other))

    def __gt__(self, other: Any) -> bool:
        return bytes.__gt__(self, _plain(other))

    def __ge__(self, other: Any) -> bool:
        return bytes.__ge__(self, _plain(other))

    def __contains__(self, part: Any) -> bool:
        return bytes.__contains__(self, _plain(part))

    def __getitem__(self, key: Any) -> ByteString:  # type: ignore[override]
        if isinstance(key, slice):
            return ByteString(bytes.__getitem__(self, key))
        return ByteString([bytes.__getitem__(self, key)])

    def __iter__(self) -> Iterator[Any]:
        return (ByteString([value]) for value in bytes.__iter__(self))

    def __add__(self, other: Any) -> ByteString:
        return ByteString(bytes.__add__(self, _plain(other)))

    def __radd__(self, other: Any) -> ByteString:
        return ByteString(_plain(other) + bytes(self))

    def __mul__(self, count: Any) -> ByteString:
        return ByteString(bytes.__mul__(self, count))

    __rmul__ = __mul__

    def __mod__(self, values: Any) -> Any:
        return text_of(self) % values

    def encode(self, encoding: str = "ascii", errors: str = "strict") -> Any:
        return encoded_string(self, encoding, errors)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> Any:
        return decoded_string(self, encoding, errors)

    def format(self, *args: Any, **kwargs: Any) -> str:
        return text_of(self).format(*args, **kwargs)

    def join(self, parts: Any) -> ByteString:
        return ByteString(bytes(self).join(map(_plain, parts)))


def _method(name: str) -> Any:
    plain = getattr(bytes, name)

    def method(self: ByteString, *args: Any) -> Any:
        result = plain(self, *map(_plain, args))
        if isinstance(result, list | tuple):
            return type(result)(map(as_string, result))
        return as_string(result)

    method.__name__ = name
    return method


for _name in (
    "capitalize", "center", "count", "endswith", "expandtabs", "find", "index", "ljust", "lower",
    "lstrip", "partition", "replace", "rfind", "rindex", "rjust", "rpartition", "rsplit",
    "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title", "translate",
    "upper", "zfill",
):  # fmt: skip
    setattr(ByteString, _name, _method(_name))


def _codec(encoding: Any) -> str:
    try:
        return codecs.lookup(str(encoding)).name
    except LookupError:
        return str(encoding)


_BYTES_CODECS = ("hex", "base64", "zlib", "bz2", "quopri", "uu")


def encoded_string(value: Any, encoding: Any = "ascii", errors: str = "strict") -> Any:
    """``value.encode(...)``: text to bytes, or by one of the codecs of bytes (``hex``)."""
    if not isinstance(value, str | bytes):
        return value.encode(encoding, errors) if encoding != "ascii" else value.encode()
    name = _codec(encoding)
    if name in _BYTES_CODECS:
        data = to_bytes(value)
        if name == "hex":
            return binascii.hexlify(data).decode()
        if name == "base64":
            return base64.encodebytes(data).decode()
        return ByteString(codecs.encode(data, name))
    if name in ("string-escape", "string_escape"):
        return repr(text_of(value) if isinstance(value, bytes) else value)[1:-1]
    if name in ("rot13", "rot-13"):
        return codecs.encode(str(value), "rot13")
    if isinstance(value, bytes):  # Python 2 decoded_string it before; bytes of that encoding stay
        return ByteString(value)
    return ByteString(value.encode(str(encoding), errors))


def decoded_string(value: Any, encoding: Any = "utf-8", errors: str = "strict") -> Any:
    """``value.decode(...)``: bytes to text, text to itself, or by one of the codecs of bytes."""
    if not isinstance(value, str | bytes | bytearray | memoryview):
        return value.decode(encoding, errors) if encoding != "utf-8" else value.decode()
    name = _codec(encoding)
    if name in _BYTES_CODECS:
        found: Any = codecs.decode(to_bytes(value), name)
        return ByteString(found)
    if name in ("string-escape", "string_escape"):
        return ByteString(codecs.escape_decode(to_bytes(value))[0])  # type: ignore[attr-defined]
    if name in ("unicode_escape", "unicode-escape", "raw-unicode-escape"):
        return codecs.decode(to_bytes(value), name, errors)
    if isinstance(value, str):
        return codecs.decode(value, "rot13") if name in ("rot13", "rot-13") else value
    return bytes(value).decode(str(encoding), errors)
