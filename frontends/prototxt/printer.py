"""Typed message to prototxt, in the style of protobuf 3.21's text format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeGuard

from frontends.schema.types import EnumType, FieldType, MessageType
from frontends.schema.values import round_to_float32

_SIMPLE_ESCAPES = {
    0x0A: r"\n", 0x0D: r"\r", 0x09: r"\t", 0x22: r"\"", 0x27: r"\'", 0x5C: r"\\",
}  # fmt: skip
_ESCAPED = [
    _SIMPLE_ESCAPES.get(byte, chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}")
    for byte in range(256)
]


class Printable(Protocol):
    """A message: its type, and what is set."""

    message_type: MessageType

    def fields_set(self) -> list[str]: ...
    def __getitem__(self, name: str) -> Any: ...


def to_text(message: Printable) -> str:
    """Prototxt of a message: two spaces per level, fields in the order of their numbers.

    Parsing it gives an equal message.
    """
    lines: list[str] = []
    _print(message, "", lines)
    return "".join(lines)


def _print(message: Printable, indent: str, lines: list[str]) -> None:
    fields = message.message_type.fields
    names = message.fields_set()
    if not message.message_type.free:
        position = {name: index for index, name in enumerate(fields)}
        names.sort(key=lambda name: (fields[name].number or 2**31, position[name]))
    for name in names:
        value = message[name]
        field = fields.get(name)
        name = field.written if field is not None and field.written else name
        # A free block knows no repeated fields: there the brackets make a list of one.
        opened, closed = ("[", "]") if field is None and _is_list_of_one(value) else ("", "")
        for item in value if isinstance(value, list) else (value,):
            if _is_message(item):
                lines.append(f"{indent}{name} {opened}{{\n")
                _print(item, indent + "  ", lines)
                lines.append(f"{indent}}}{closed}\n")
            else:
                text = _literal(message, field, item)
                lines.append(f"{indent}{name}: {opened}{text}{closed}\n")


def _is_message(value: Any) -> TypeGuard[Printable]:
    return hasattr(value, "fields_set")


def _is_list_of_one(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 1


def _literal(message: Printable, field: FieldType | None, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if field is None or field.kind == "any":
            return repr(value)
        return format_float32(value) if field.kind == "float" else format_double(value)
    if isinstance(value, bytes):
        return quote(value)
    if isinstance(value, str):
        if field is not None and isinstance(message.message_type.resolve(field), EnumType):
            return value
        return quote(value.encode("utf-8", "surrogateescape"))
    return str(value)


def quote(value: bytes) -> str:
    """A double-quoted string literal, escaped as protobuf does (bytes above 126 in octal)."""
    return '"' + "".join(map(_ESCAPED.__getitem__, value)) + '"'


def format_float32(value: float) -> str:
    """The shortest of 6 to 9 significant digits that gives the same float32 again."""
    return _shortest(value, range(6, 9), 9, round_to_float32)


def format_double(value: float) -> str:
    """The shortest of 15 to 17 significant digits that gives the same double again."""
    return _shortest(value, range(15, 17), 17, float)


def _shortest(value: float, digits: range, most: int, rounded: Callable[[float], float]) -> str:
    for count in digits:
        text = f"{value:.{count}g}"
        if rounded(float(text)) == value:
            return text
    return f"{value:.{most}g}"
