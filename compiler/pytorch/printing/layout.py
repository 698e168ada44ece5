"""Lines of Python as formatters lay them out: 88 columns, one bracket after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 88


@dataclass(frozen=True)
class Bracketed:
    """``opening`` (``f(``, ``[``), parts with commas between them, and what closes it.

    ``literal``: a list or tuple, which a formatter puts on one line or one part a line.
    """

    opening: str
    parts: tuple[PythonText, ...]
    closing: str
    literal: bool = False

    def __str__(self) -> str:
        parts = ", ".join(map(str, self.parts))
        alone = self.literal and self.opening.endswith("(") and len(self.parts) == 1
        return f"{self.opening}{parts}{',' if alone else ''}{self.closing}"


PythonText = str | Bracketed


def calls(function: str, *arguments: PythonText) -> Bracketed:
    return Bracketed(f"{function}(", arguments, ")")


def list_text(parts: Sequence[PythonText]) -> Bracketed:
    return Bracketed("[", tuple(parts), "]", literal=True)


def lines(text: PythonText, indent: int, before: str = "", behind: str = "") -> list[str]:
    """A statement, or part of one.

    Args:
        before, behind: what stands on its first and its last line, too.
    """
    flat = f"{' ' * indent}{before}{text}{behind}"
    if len(flat) <= WIDTH or isinstance(text, str) or not text.parts:
        return [flat]
    deeper = indent + 4
    found = [f"{' ' * indent}{before}{text.opening}"]
    together = " " * deeper + ", ".join(map(str, text.parts))
    if not text.literal and len(together) <= WIDTH:
        found.append(together)
    else:
        for part in text.parts:
            found += lines(part, deeper, behind=",")
    return [*found, f"{' ' * indent}{text.closing}{behind}"]
