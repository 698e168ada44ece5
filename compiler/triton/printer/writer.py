"""Writes the text of one kernel: statements, names, parameters."""

from __future__ import annotations

import contextlib
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from compiler.kernel import Argument, Parameter, Scratch
from ir.graph import Value
from ir.location import Location
from ir.printable import printable
from ir.types import DType

from .helpers import HELPERS
from .index import SCALAR, Affine, Axes, Condition, IterationRange
from .size import Size, Symbol

_RESERVED = {"tl", "triton", "range", "float", *keyword.kwlist, *HELPERS}
_WORD = re.compile(r"[A-Za-z_]\w*")
_LET = re.compile(r" +(\w+) = ")


def _words(line: str) -> list[str]:
    """Names in a line of code (a comment has none)."""
    return [] if line.lstrip().startswith("#") else _WORD.findall(line)


@dataclass(frozen=True, slots=True)
class Style:
    """``readable``: names from blobs, comments. Otherwise the canonical text."""

    readable: bool


@dataclass(frozen=True, slots=True)
class Finished:
    """The body of a kernel, and its parameters (pointers, sizes, numbers) with arguments."""

    lines: list[str]
    parameters: list[tuple[Parameter, Argument]]


class Writer:
    """Statements of a kernel's body and what they refer to.

    ``let`` gives equal right-hand sides one variable, within the block where it was made.
    """

    def __init__(self, style: Style, wide: bool) -> None:
        self.style = style
        self.wide = wide  # 64-bit indices
        self.lines: list[str] = []
        self.helpers: list[str] = []  # names of helper functions used, in order of first use
        self._depth = 1
        self._scopes: list[dict[object, str]] = [{}]
        self._names: set[str] = set(_RESERVED)
        self._counts: dict[str, int] = {}
        self._pointers: dict[Value | Scratch, tuple[Parameter, Argument]] = {}
        self._sizes: dict[tuple[object, ...], tuple[Parameter, Argument]] = {}
        self._numbers: dict[tuple[object, ...], tuple[Parameter, Argument]] = {}
        self._symbols = 0
        self._lets: set[str] = set()
        self._neutral: set[str] = set()
        self._place = ""

    @staticmethod
    def silent() -> Writer:
        """One whose text nobody reads (to ask an op for its sizes)."""
        return Writer(Style(readable=False), wide=False)

    # --- names ------------------------------------------------------------------------

    def reserve(self, *names: str) -> None:
        self._names.update(names)

    def name(self, neutral: str, hint: str = "") -> str:
        """A new name: from ``hint`` in the readable text, else ``neutral`` and a number."""
        if not (self.style.readable and hint):
            while True:
                number = self._counts.get(neutral, 0)
                self._counts[neutral] = number + 1
                candidate = f"{neutral}{number}"
                if candidate not in self._names:
                    break
            self._neutral.add(candidate)
        else:
            stem = re.sub(r"\W+", "_", hint, flags=re.ASCII).strip("_").lower() or neutral
            if stem[0].isdigit():
                stem = f"{neutral}_{stem}"
            candidate, number = stem, 1
            while candidate in self._names:
                number += 1
                candidate = f"{stem}_{number}"
        self._names.add(candidate)
        return candidate

    # --- statements -------------------------------------------------------------------

    def line(self, text: str) -> None:
        self.lines.append("    " * self._depth + text)

    def comment(self, text: str) -> None:
        if self.style.readable:
            self.line(f"# {printable(text)}")

    def place(self, location: Location) -> None:
        """Say from which layer the following lines come."""
        if location.layer and location.layer != self._place:
            self._place = location.layer
            self.comment(location.layer)

    def program(self, axis: int) -> str:
        """Number of the program along an axis of the grid."""
        return f"tl.program_id({axis})" + (".to(tl.int64)" if self.wide else "")

    def let(self, text: str, neutral: str = "v", hint: str = "") -> str:
        """A variable that holds the expression; the same one for the same text."""
        known = self.recall(text)
        if known is not None:
            return known
        name = self.name(neutral, hint)
        self.line(f"{name} = {text}")
        self._lets.add(name)
        self.remember(text, name)
        return name

    @contextlib.contextmanager
    def block(self, head: str) -> Iterator[None]:
        """An indented block (a loop, a branch); its variables end with it."""
        self.line(head)
        self._depth += 1
        self._scopes.append({})
        try:
            yield
        finally:
            self._scopes.pop()
            self._depth -= 1

    def recall(self, key: object) -> str | None:
        """What was remembered in this block or those around it."""
        for scope in reversed(self._scopes):
            if key in scope:
                return scope[key]
        return None

    def remember(self, key: object, text: str) -> None:
        """Until this block ends."""
        self._scopes[-1][key] = text

    def helper(self, name: str) -> str:
        if name not in self.helpers:
            self.helpers.append(name)
        return name

    # --- parameters -------------------------------------------------------------------

    def symbol(self, value: int, hint: str = "") -> Size:
        """A new size that is an argument."""
        self._symbols += 1
        return Size.of(Symbol(self._symbols, value, hint))

    def pointer(self, buffer: Value | Scratch, dtype: DType, hint: str = "") -> str:
        """The argument that points to a buffer."""
        if buffer not in self._pointers:
            name = self.name("p", f"{hint}_ptr" if hint else "")
            self._pointers[buffer] = (Parameter(name, "pointer", dtype, divisible=True), buffer)
        return self._pointers[buffer][0].name

    def number(self, key: tuple[object, ...], value: int | float, dtype: DType) -> str:
        """A number that follows from a shape."""
        if key not in self._numbers:
            kind = "f32" if dtype.is_float else "i32"
            self._numbers[key] = (Parameter(self.name("a", "number"), kind), value)
        return self._numbers[key][0].name

    def size(self, size: Size, *, divisible: bool = False) -> str:
        """The text of a size: a literal, an argument, or an argument times a literal."""
        if size.constant is not None:
            return str(size.constant)
        sign = "-" if size.factor < 0 else ""
        factor = -size.factor if size.factor < 0 else size.factor
        divisor = factor.denominator
        whole = Size(1 if divisor == 1 else Fraction(1, divisor), size.powers)
        name = self._size_argument(whole, divisible)
        return sign + (name if factor.numerator == 1 else f"({name} * {factor.numerator})")

    def _size_argument(self, size: Size, divisible: bool) -> str:
        key = (size, divisible)
        if key not in self._sizes:
            hint = (
                "_".join(s.hint for s, _ in size.powers)
                if all(s.hint and p == 1 for s, p in size.powers)
                else "extent"
            )
            kind = "i64" if self.wide else "i32"
            name = self.name("s", hint)
            self._sizes[key] = (Parameter(name, kind, None, divisible), size.value)
        return self._sizes[key][0].name

    def finish(self) -> Finished:
        """The statements, less variables that nothing reads, and the parameters they use."""
        lines = self._without_dead_lines()
        words = [word for line in lines for word in _words(line)]
        first = {word: i for i, word in reversed(list(enumerate(words)))}
        parameters = [
            pair
            for group in (self._pointers, self._sizes, self._numbers)
            for pair in sorted(
                (p for p in group.values() if p[0].name in first),
                key=lambda p: first[p[0].name],
            )
        ]
        if self.style.readable:
            return Finished(lines, parameters)
        # Number what is left anew: equal kernels have equal names.
        names: dict[str, str] = {}
        counts: dict[str, int] = {}
        for word in words:
            if word in self._neutral and word not in names:
                stem = word.rstrip("0123456789")
                names[word] = f"{stem}{counts.get(stem, 0)}"
                counts[stem] = counts.get(stem, 0) + 1
        lines = [_WORD.sub(lambda m: names.get(m[0], m[0]), line) for line in lines]
        renamed = [(replace(p, name=names[p.name]), a) for p, a in parameters]
        return Finished(lines, renamed)

    def _without_dead_lines(self) -> list[str]:
        lines = self.lines
        while True:
            used: dict[str, int] = {}
            for line in lines:
                for word in set(_words(line)):
                    used[word] = used.get(word, 0) + 1
            kept = [
                line
                for line in lines
                if not ((let := _LET.match(line)) and let[1] in self._lets and used[let[1]] == 1)
            ]
            if len(kept) == len(lines):
                return lines
            lines = kept

    # --- indices ----------------------------------------------------------------------

    def iteration_range(self, iteration_range: IterationRange) -> str:
        text = iteration_range.base.name
        if iteration_range.inner.constant != 1:
            text = self.let(f"{text} // {self.size(iteration_range.inner)}", "i")
        if iteration_range.extent is not None:
            text = self.let(f"{text} % {self.size(iteration_range.extent)}", "i")
        return text

    def affine(self, index: Affine) -> str:
        """The text of an index: a literal, a variable, or a sum (not in parentheses)."""
        parts = []
        for iteration_range, weight in index.terms:
            text = self.iteration_range(iteration_range)
            if weight.constant == 1:
                parts.append(text)
            elif weight.constant is not None and weight.constant < 0:
                parts.append(f"{text} * ({weight.constant})")
            else:
                parts.append(f"{text} * {self.size(weight)}")
        text = " + ".join(parts)
        for offset in index.offsets:
            if offset.factor < 0 and text:
                text += f" - {self.size(-offset)}"
            else:
                text += (" + " if text else "") + self.size(offset)
        return text or "0"

    def index(self, index: Affine, hint: str = "") -> str:
        """A variable (or literal) that holds the index."""
        text = self.affine(index)
        if re.fullmatch(r"-?\w+", text):
            return text
        return self.let(text, "i", hint)

    def condition(self, text: str, axes: Axes = SCALAR) -> Condition:
        return Condition(self.let(text, "m"), axes)
