"""A scanner over one line of a graph's text: names, types, literals, expressions, locations."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from .expr import Expr
from .expr_text import parse_exprs
from .graph import NOWHERE
from .location import Location
from .size import parse_size
from .types import TensorType

WORD = re.compile(r"[A-Za-z_]\w*")
_PLAIN = re.compile(r"[\w./\-@+]+")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
WHOLE = re.compile(r"\d+")
_TYPE = re.compile(r"[a-z]\w*[ \t]*\[[^\[\]]*\](?:[ \t]*\{[\d,:]+\})?")
_SIZE = re.compile(r"\[[^\[\]]*\]")
_NUMBER = re.compile(r"-?(?:inf|nan|\d+(?:\.\d+)?(?:e[+-]?\d+)?)")

_MAX_TUPLES = 8


class Line:
    """A scanner over one line.

    Args:
        sizes: those that the graph names.
    """

    def __init__(self, text: str, number: int, sizes: Mapping[str, int] | None = None) -> None:
        self.text = text
        self.sizes = sizes or {}
        self.number = number  # from 1
        self.place = 0
        self.start = 0  # of the last token: what an error points at

    def skip(self) -> None:
        text, place, end = self.text, self.place, len(self.text)
        while place < end and text[place] in " \t":
            place += 1
        self.place = self.start = place

    def match(self, pattern: re.Pattern[str]) -> str | None:
        self.skip()
        found = pattern.match(self.text, self.place)
        if found is None:
            return None
        self.place = found.end()
        return found[0]

    def want(self, pattern: re.Pattern[str], what: str) -> str:
        found = self.match(pattern)
        if found is None:
            raise ValueError(f"{what} expected at {self.rest()!r}")
        return found

    def accept(self, token: str) -> bool:
        self.skip()
        if self.text.startswith(token, self.place):
            self.place += len(token)
            return True
        return False

    def expect(self, token: str) -> None:
        if not self.accept(token):
            raise ValueError(f"{token!r} expected at {self.rest()!r}")

    def rest(self) -> str:
        return self.text[self.place : self.place + 40]

    @property
    def done(self) -> bool:
        self.skip()
        return self.place >= len(self.text)

    # --- pieces ------------------------------------------------------------------------

    def string(self) -> str:
        return _decode(self.want(_STRING, "a string"))

    def name(self) -> str:
        quoted = self.match(_STRING)
        return self.want(_PLAIN, "a name") if quoted is None else _decode(quoted)

    def typed(self) -> tuple[str, TensorType]:
        self.expect("%")
        name = self.name()
        start = self.start
        self.expect(":")
        type = TensorType.parse(self.want(_TYPE, "a type"), self.sizes)
        self.start = start
        return name, type

    def literal(self, depth: int = 0) -> object:
        if self.accept("("):
            if depth > _MAX_TUPLES:
                raise ValueError("tuples nest too deep")
            items: list[object] = []
            while not self.accept(")"):
                if items:
                    self.expect(",")
                items.append(self.literal(depth + 1))
            return tuple(items)
        self.skip()
        if self.text.startswith('"', self.place):
            return self.string()
        number = self.match(_NUMBER)
        if number is not None:
            return int(number) if re.fullmatch(r"-?\d+", number) else float(number)
        tensor = self.match(_TYPE)
        if tensor is not None:
            return TensorType.parse(tensor, self.sizes)
        size = self.match(_SIZE)
        if size is not None:
            return parse_size(size[1:-1], self.sizes)
        word = self.want(WORD, "a literal")
        words = {"true": True, "false": False, "none": None}
        if word not in words:
            raise ValueError(f"{word!r} is not a literal")
        return words[word]

    def exprs(self) -> tuple[Expr, ...]:
        """Expressions up to the closing brace; they hold no braces themselves."""
        end = self.text.find("}", self.place)
        if end < 0:
            raise ValueError("'}' expected after the expressions")
        found = parse_exprs(self.text[self.place : end], self.sizes)
        self.place = end + 1
        return found

    def location(self) -> Location:
        """The comment that ends a node's line."""
        if not self.accept("#"):
            if not self.done:
                raise ValueError(f"unexpected {self.rest()!r}")
            return NOWHERE
        self.skip()
        quoted = self.text.startswith('"', self.place)
        layer = self.name()
        if layer == "-" and not quoted:
            layer = ""
        self.skip()
        if self.text.startswith('"', self.place):
            file = self.string()
        else:
            file = self.match(_PLAIN) or ""
        numbers = [0, 0]
        for i in range(2):
            if self.accept(":"):
                numbers[i] = int(self.want(WHOLE, "a line number"))
        if not self.done:
            raise ValueError(f"unexpected {self.rest()!r} in a location")
        return Location(file, numbers[0], numbers[1], layer)


def _decode(quoted: str) -> str:
    return str(json.loads(quoted))
