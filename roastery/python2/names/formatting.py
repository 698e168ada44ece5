"""``str`` of Python 2: bytes are strings, and a float has twelve digits."""

from __future__ import annotations

from typing import Any

from .byte_string import ByteString, to_bytes


def twelve_digits(value: float) -> str:
    text = f"{value:.12g}"
    if set(text) & set(".en"):
        return text
    if len(text.lstrip("-")) < 12:
        return text + ".0"
    number, power = f"{value:.11e}".split("e")  # from here on with an exponent
    return number.rstrip("0").rstrip(".") + "e" + power


def py2_str(value: Any, kind: Any = str) -> Any:
    """``str(value)``, ``bytes(value)``; ``kind`` is what the script calls so."""
    if kind is not str and kind is not bytes:
        return kind(value)
    if type(value) is float:
        return twelve_digits(value)
    if isinstance(value, bytes | bytearray):
        data = bytes(value)
        return data.decode() if data.isascii() else ByteString(data)
    return str(value)


def py2_bytearray(value: Any, kind: Any = bytearray) -> Any:
    """``bytearray(value)``, of text, too."""
    return kind(to_bytes(value) if kind is bytearray else value)


class _Float(float):
    def __str__(self) -> str:
        return twelve_digits(self)


def py2_format(text: str, values: Any) -> str:
    """``text % values``, where some of them are floats."""
    if type(values) is float:
        return text % _Float(values)
    if type(values) is tuple:
        values = tuple(_Float(value) if type(value) is float else value for value in values)
    return text % values
