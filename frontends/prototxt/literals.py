"""Literals of the text format: what a token means for the field it stands in."""

from __future__ import annotations

import math
import re
from typing import Any

from lark import Token

from frontends.schema.types import INTEGER_RANGES, EnumType, FieldType
from frontends.schema.values import ValueMistake, check_integer, round_to_float32

from .suggestions import did_you_mean
from .tree import Scalar

_DECIMAL = re.compile(r"0|[1-9][0-9]*")
_HEX = re.compile(r"0[xX][0-9a-fA-F]+")
_OCTAL = re.compile(r"0[0-7]+")
_FLOAT = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fF]?")
_WORD_FLOATS = {"inf": math.inf, "infinity": math.inf, "nan": math.nan}
_WORD_BOOLS = {"true": True, "True": True, "t": True, "false": False, "False": False, "f": False}
_MISSPELT_BOOLS = {"yes": "true", "on": "true", "TRUE": "true", "T": "true"} | {
    "no": "false", "off": "false", "FALSE": "false", "F": "false"
}  # fmt: skip

_ESCAPE = re.compile(
    r"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))",
    re.DOTALL,
)
_SIMPLE_ESCAPES = {
    "a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11,
    "\\": 92, "'": 39, '"': 34, "?": 63,
}  # fmt: skip


class Mistake(ValueMistake):
    """A literal its field cannot hold, with a hint."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def parse_integer(text: str) -> int | None:
    """The value of a decimal, hexadecimal or octal literal; None if it is none."""
    if _DECIMAL.fullmatch(text):
        # Python refuses to convert very long digit strings; no field is that large.
        return int(text) if len(text) <= 30 else 10**30
    if _HEX.fullmatch(text):
        return int(text, 16)
    if _OCTAL.fullmatch(text):
        return int(text, 8)
    return None


def parse_real(text: str) -> float | None:
    """The value of a number of any form; None if ``text`` is none."""
    integer = parse_integer(text)
    if integer is not None:
        if _DECIMAL.fullmatch(text):
            return float(text)
        return float(integer) if integer < 2**1000 else math.inf
    if _FLOAT.fullmatch(text):
        return float(text.rstrip("fF"))
    return None


def unquote(token: Token) -> bytes:
    """The bytes of one quoted string.

    Raises:
        Mistake: it holds an escape that does not exist.
    """
    body = token[1:-1]
    if "\\" not in body:
        return body.encode("utf-8", "surrogateescape")
    pieces: list[bytes] = []
    position = 0
    for match in _ESCAPE.finditer(body):
        pieces.append(body[position : match.start()].encode("utf-8", "surrogateescape"))
        pieces.append(_escaped(match))
        position = match.end()
    pieces.append(body[position:].encode("utf-8", "surrogateescape"))
    return b"".join(pieces)


def _escaped(match: re.Match[str]) -> bytes:
    octal, hexadecimal, short, long, simple = match.groups()
    if octal:
        return bytes([int(octal, 8) & 255])
    if hexadecimal:
        return bytes([int(hexadecimal, 16)])
    if short or long:
        code = int(short or long, 16)
        if code > 0x10FFFF:
            raise Mistake(f"there is no character {match.group()}")
        return chr(code).encode("utf-8", "surrogatepass")
    if simple in _SIMPLE_ESCAPES:
        return bytes([_SIMPLE_ESCAPES[simple]])
    raise Mistake(f"unknown escape `{match.group()}`", r"a backslash itself is written \\")


def literal_value(field: FieldType, target: EnumType | None, scalar: Scalar) -> Any:
    """What a literal means for ``field`` (``target`` is its enum, if it has one).

    Raises:
        Mistake: the field cannot hold it.
    """
    tokens = scalar.tokens
    last = tokens[-1]
    kind = field.kind
    if last.type == "STRING":
        if kind == "string":
            return b"".join(map(unquote, tokens)).decode("utf-8", "surrogateescape")
        if kind == "bytes":
            return b"".join(map(unquote, tokens))
        return _misplaced_string(field, target, tokens)
    negative = len(tokens) == 2
    if target is not None:
        return _enum_value(field, target, last, negative)
    if kind in INTEGER_RANGES:
        return _integer_value(field, last, negative)
    if kind in ("float", "double"):
        return _float_value(field, last, negative)
    if kind == "bool":
        return _bool_value(field, last, negative)
    if kind == "any":
        return free_value(scalar)
    written = f"{'-' * negative}{last}"
    raise Mistake(f"`{field.name}` takes a string, not {written}", f'write "{written}"')


def free_value(scalar: Scalar) -> Any:
    """What a literal means where no schema says: number, bool or string.

    Raises:
        Mistake: it is malformed.
    """
    tokens = scalar.tokens
    last = tokens[-1]
    if last.type == "STRING":
        return b"".join(map(unquote, tokens)).decode("utf-8", "surrogateescape")
    negative = len(tokens) == 2
    text = str(last)
    if last.type == "NUMBER":
        number: int | float | None = parse_integer(text)
        if number is None or number >= 2**64:
            number = parse_real(text)
        if number is None:
            raise Mistake(f"{text} is not a number")
        return -number if negative else number
    if text.lower() in _WORD_FLOATS:
        value = _WORD_FLOATS[text.lower()]
        return -value if negative else value
    if negative:
        raise Mistake(f"-{text} is not a number")
    return {"true": True, "false": False}.get(text, text)


def _misplaced_string(field: FieldType, target: EnumType | None, tokens: list[Token]) -> Any:
    if field.kind == "any":
        return free_value(Scalar(tokens))
    text = str(tokens[0])
    inner = text[1:-1]
    if target is not None:
        near = inner if inner in target.names() else did_you_mean(inner, target.names())
        raise Mistake(
            f"`{field.name}` takes a bare name, not the string {text}",
            f"write {field.name}: {near}" if near else f"one of {', '.join(target.names())}",
        )
    plain = parse_real(inner.removeprefix("-")) is not None or inner in _WORD_BOOLS
    raise Mistake(
        f"`{field.name}` takes {_ARTICLES[field.kind]}, not the string {text}",
        f"write {field.name}: {inner}" if plain else None,
    )


_ARTICLES = dict.fromkeys(INTEGER_RANGES, "an integer") | {
    "float": "a number",
    "double": "a number",
    "bool": "true or false",
}


def _integer_value(field: FieldType, token: Token, negative: bool) -> int:
    text = str(token)
    value = parse_integer(text) if token.type == "NUMBER" else None
    if value is not None:
        if negative and field.kind.startswith("u") and value:
            raise Mistake(f"`{field.name}` takes no negative numbers, found -{text}")
        if value >= 2**64:
            raise Mistake(f"{'-' * negative}{text} is out of range for `{field.name}`"
                          f" ({field.kind})")  # fmt: skip
        return check_integer(field, -value if negative else value)
    real = parse_real(text) if token.type == "NUMBER" else None
    hint = None
    if real is not None and math.isfinite(real) and real == int(real):
        hint = f"write {'-' * negative}{int(real)}"
    raise Mistake(f"`{field.name}` takes an integer, not {'-' * negative}{text}", hint)


def _float_value(field: FieldType, token: Token, negative: bool) -> float:
    text = str(token)
    value = parse_real(text) if token.type == "NUMBER" else _WORD_FLOATS.get(text.lower())
    if value is None:
        hint = None
        if token.type == "NUMBER" and "," in text:
            hint = "decimals are written with a point"
        raise Mistake(f"`{field.name}` takes a number, not {'-' * negative}{text}", hint)
    value = -value if negative else value
    return round_to_float32(value) if field.kind == "float" else value


def _bool_value(field: FieldType, token: Token, negative: bool) -> bool:
    text = str(token)
    if token.type == "NAME" and not negative and text in _WORD_BOOLS:
        return _WORD_BOOLS[text]
    if token.type == "NUMBER" and not negative:
        number = parse_integer(text)
        if number in (0, 1):
            return bool(number)
    near = _MISSPELT_BOOLS.get(text) or did_you_mean(text, ["true", "false"])
    raise Mistake(
        f"`{field.name}` takes true or false, not {'-' * negative}{text}",
        f"did you mean {near}?" if near else None,
    )


def _enum_value(field: FieldType, target: EnumType, token: Token, negative: bool) -> str:
    text = str(token)
    if token.type == "NAME" and not negative:
        if text in target.numbers or text in target.foreign:
            return text
    elif token.type == "NUMBER":
        number = parse_integer(text)
        name = None if number is None else target.name_of(-number if negative else number)
        if name is not None:
            return name
    near = did_you_mean(text, target.names())
    names = list(target.numbers)
    known = f"one of {', '.join(names)}" if len(names) <= 8 else None
    raise Mistake(
        f"`{field.name}` has no value {'-' * negative}{text}",
        f"did you mean {near}?" if near else known,
    )
