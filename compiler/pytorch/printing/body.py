"""The statements of a function that is being written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from ir.graph import Value
from ir.size import size_text, symbols_of

from .layout import WIDTH, Bracketed, PythonText, lines
from .names import VARIABLES, PythonNames


class Body:
    """Statements, and what they need: helpers, symbols of sizes.

    Args:
        use: is told the names of helper files that the text calls.
        taken: further names that mean something.
        device_of: a tensor's name, on whose device new ones are made.
    """

    def __init__(
        self, use: Callable[[str], None], taken: Iterable[str] = (), device_of: str = ""
    ) -> None:
        self.use = use
        self.names = PythonNames([*VARIABLES, *taken])
        self.of: dict[Value, str] = {}
        self.lines: list[str] = []
        self.symbols: dict[str, None] = {}
        self.device_of = device_of
        self.indent = 8
        self.tables: set[Value] = set()  # made of places alone: float32, whatever inputs are
        self.called: dict[Value, str] = {}  # names that values are to have
        self._sizes: dict[str, str] = {}

    def operand(self, value: Value) -> str:
        return self.of[value]

    def inner(self) -> Body:
        """Of a function within."""
        made = Body(self.use, self.names.taken, self.device_of)
        made.symbols = self.symbols
        made.indent = self.indent + 4
        return made

    def line(self, text: PythonText, before: str = "", behind: str = "", deeper: int = 0) -> None:
        self.lines += lines(text, self.indent + deeper, before, behind)

    def give(self, names: Sequence[str]) -> None:
        """Return them."""
        text = ", ".join(names)
        if len(text) + self.indent + len("return ") > WIDTH and len(names) > 1:
            self.line(Bracketed("(", tuple(names), ")", literal=True), "return ")
        else:
            self.line(text, "return ")

    def let(self, text: PythonText, name: str = "t") -> str:
        """A new variable that is the text."""
        found = self.names.fresh(name)
        self.line(text, f"{found} = ")
        return found

    def bind(self, value: Value, text: PythonText) -> None:
        """The value is the text: a variable, unless it is one already."""
        if isinstance(text, str) and text.isidentifier():
            self.of[value] = text
        elif value in self.called:
            self.of[value] = self.called[value]
            self.line(text, f"{self.called[value]} = ")
        else:
            self.of[value] = self.let(text, "y")

    def bind_parts(self, values: Sequence[Value], text: PythonText, name: str = "found") -> None:
        """The values are the parts of the tuple that the text is."""
        found = self.let(text, name)
        self.of.update((value, f"{found}[{i}]") for i, value in enumerate(values))

    def size(self, number: float) -> str:
        """A size, with the symbols in it in lower case."""
        text = size_text(number)
        for symbol in symbols_of(number):
            self.symbols[symbol.key] = None
        text = lower_symbols(text, self.symbols)
        if len(text) <= _LONGEST:
            return text
        if text not in self._sizes:
            self._sizes[text] = self._named_size(text)
        return self._sizes[text]

    def _named_size(self, text: str) -> str:
        """A variable that is a long sum, which is added up in steps."""
        name, total = self.names.fresh("size"), ""
        for part in _terms(text):
            if total and len(total) + len(part) > _LONGEST:
                self.line(total, f"{name} = ")
                total = name
            total += part
        self.line(total, f"{name} = ")
        return name

    def shape(self, shape: Sequence[int]) -> str:
        """A tuple."""
        parts = [self.size(d) for d in shape]
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"

    def device(self) -> list[str]:
        """A further argument of what makes a tensor."""
        return [f"device={self.device_of}.device"] if self.device_of else []


_LONGEST = 30
"""Characters of a size; a longer one gets a name."""


def _terms(text: str) -> list[str]:
    """The terms of a sum, with their signs."""
    found, depth, start = [], 0, 0
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0 and text[at : at + 3] in (" + ", " - "):
            found.append(text[start:at])
            start = at
    return [*found, text[start:]]


def lower_symbols(text: str, symbols: Iterable[str]) -> str:
    """Symbols of sizes as variables: ``N * H`` as ``n * h``."""
    names = {symbol: symbol_name(symbol) for symbol in symbols}
    return re.sub(r"[A-Za-z_]\w*", lambda word: names.get(word[0], word[0]), text)


def symbol_name(symbol: str) -> str:
    return symbol.lower()
