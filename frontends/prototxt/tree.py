"""The untyped tree of a prototxt file: entries, blocks, lists and literals, with tokens."""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

from lark import Token, Transformer

from ir.location import Location

#: Bytes that are not UTF-8 and control characters; no terminal could show them.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class SourceText:
    """A file's text, able to say where a token stands."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.lines = text.split("\n")
        self._shown: dict[int, str] = {}  # lines as errors show them

    def at(self, line: int, column: int, layer: str = "") -> Location:
        """The place at ``line`` and ``column`` (both from 1)."""
        if line not in self._shown:  # a line may be long and hold many tokens
            text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
            self._shown[line] = _UNSHOWABLE.sub("\ufffd", text)
        return Location(self.file, line, column, layer, self._shown[line])

    def place(self, token: Token, layer: str = "") -> Location:
        """The place where ``token`` begins."""
        return self.at(token.line or 0, token.column or 0, layer)

    def end(self) -> Location:
        """The last place of the file that holds anything."""
        line = len(self.lines)
        while line > 1 and not self.lines[line - 1].strip():
            line -= 1
        return self.at(line, len(self.lines[line - 1].rstrip()) + 1)


class Scalar(NamedTuple):
    """A literal: strings that stand side by side, or a number or word with its sign."""

    tokens: list[Token]


class Block(NamedTuple):
    """``{ ... }`` or ``< ... >``."""

    opened: Token
    entries: list[Entry]


class Items(NamedTuple):
    """``[a, b]``."""

    opened: Token
    items: list[Scalar | Block]


class Entry(NamedTuple):
    """``name: value``; the name token is of type NAME or EXTENSION."""

    name: Token
    value: Value


Value: TypeAlias = Scalar | Block | Items


class TreeBuilder(Transformer):  # type: ignore[type-arg]
    """Grammar rules to tree nodes; the parser calls it while it reads."""

    def start(self, children: list[Entry]) -> list[Entry]:
        return children

    def field(self, children: list[Token | Value]) -> Entry:
        return Entry(*children)  # type: ignore[arg-type]

    def extension(self, children: list[Token]) -> Token:
        return Token.new_borrow_pos("EXTENSION", "".join(children), children[0])

    def block(self, children: list[Token | Entry]) -> Block:
        return Block(children[0], children[1:])  # type: ignore[arg-type]

    def items(self, children: list[Token | Scalar | Block]) -> Items:
        return Items(children[0], children[1:])  # type: ignore[arg-type]

    def scalar(self, children: list[Token]) -> Scalar:
        return Scalar(children)
