"""Sizes and reals as text, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .form import Symbol, symbols
from .real import Real, value_of
from .size import Size, larger, smaller
from .text import form_text


def size_text(number: float) -> str:
    """A size, a real or a number, in Python's notation."""
    if isinstance(number, Size):
        return form_text(number.form)
    if isinstance(number, Real):
        return f"{_operand(number.left)} {number.op} {_operand(number.right)}"
    return repr(number)


def symbols_of(number: float) -> Iterator[Symbol]:
    """The symbols in a size or a real, perhaps several times."""
    if isinstance(number, Size):
        yield from symbols(number.form)
    elif isinstance(number, Real):
        yield from symbols_of(number.left)
        yield from symbols_of(number.right)


def _operand(number: float) -> str:
    text = size_text(number)
    return text if text.replace(".", "").isalnum() else f"({text})"


def parse_size(text: str, sizes: Mapping[str, int], whole: bool = False) -> float:
    """The size, real or number that a text in Python's notation is. Raises ValueError.

    Args:
        sizes: those that it may name.
        whole: without ``/`` and fractions.
    """
    (found,) = _Reader(text, sizes, _WHOLE if whole else _TOKEN).all(1)
    return found


def parse_shape(text: str, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """Extents with commas between them. Raises ValueError."""
    if not text.strip(" \t"):
        return ()
    if _PLAIN.fullmatch(text):
        return tuple(map(int, text.split(",")))
    found = _Reader(text, sizes, _WHOLE).all()
    if any(value_of(d) < 0 for d in found):
        raise ValueError(f"an extent is negative: {text!r}")
    return tuple(found)  # type: ignore[arg-type]


_PLAIN = re.compile(r"\d+(?:,\d+)*")
_TOKEN = re.compile(r"[ \t]*(\d+(?:\.\d+)?(?:e[+-]?\d+)?|[A-Za-z_]\w*|//|[-+*/%(),])[ \t]*")
_WHOLE = re.compile(r"[ \t]*(\d+|[A-Za-z_]\w*|//|[-+*%(),])[ \t]*")
_MAX_DEPTH = 50
_MAX_LENGTH = 40_000
_MAX_FACTORS = 16


class _Reader:
    def __init__(self, text: str, sizes: Mapping[str, int], token: re.Pattern[str]) -> None:
        if len(text) > _MAX_LENGTH:
            raise ValueError(f"a size of {len(text)} characters")
        self.text, self.sizes = text, sizes
        self.depth = 0
        self.tokens: list[str] = []  # that are left, the next one last
        place = 0
        while place < len(text):
            match = token.match(text, place)
            if match is None:
                raise self.error(f"unexpected {text[place:]!r}")
            self.tokens.append(match[1])
            place = match.end()
        self.tokens.reverse()

    def error(self, problem: str) -> ValueError:
        return ValueError(f"bad size {self.text[:60]!r}: {problem}")

    def all(self, count: int | None = None) -> list[float]:
        """The whole text: so many, or any number with commas between them."""
        try:
            found = [self.sum()]
            while len(found) != count and self.accept(","):
                found.append(self.sum())
        except ZeroDivisionError:
            raise self.error("it divides by 0") from None
        if self.tokens:
            raise self.error(f"unexpected {self.tokens[-1]!r}")
        return found

    def accept(self, *tokens: str) -> str:
        return self.tokens.pop() if self.tokens and self.tokens[-1] in tokens else ""

    def expect(self, token: str) -> None:
        if not self.accept(token):
            raise self.error(f"{token!r} expected")

    def sum(self) -> float:
        total = -self.product() if self.accept("-") else self.product()
        while sign := self.accept("+", "-"):
            part = self.product()
            total = total + part if sign == "+" else total - part
        return total

    def product(self) -> float:
        total = self.factor()
        while sign := self.accept("*", "//", "%", "/"):
            part = self.factor()
            if sign == "*":
                total = total * part
            elif sign == "/":
                total = total / part
            else:
                total = total // part if sign == "//" else total % part
            if isinstance(total, Size) and len(total.form[0][0]) > _MAX_FACTORS:
                raise self.error(f"it multiplies more than {_MAX_FACTORS} sizes")
        return total

    def factor(self) -> float:
        self.depth += 1
        if not self.tokens or self.depth > _MAX_DEPTH:
            raise self.error("it nests too deep" if self.tokens else "it has no end")
        token = self.tokens.pop()
        if token == "(":
            found = self.sum()
            self.expect(")")
        elif token in ("max", "min"):
            self.expect("(")
            first = self.sum()
            self.expect(",")
            second = self.sum()
            self.expect(")")
            found = larger(first, second) if token == "max" else smaller(first, second)  # type: ignore[arg-type]
        elif token in self.sizes:
            found = self.sizes[token]
        elif token[0].isdigit():
            found = int(token) if token.isdigit() else float(token)
        else:
            named = token.isidentifier()
            raise self.error(f"no size is called {token!r}" if named else f"unexpected {token!r}")
        self.depth -= 1
        return found
