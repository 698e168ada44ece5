"""Errors that are meant for the person who wrote the input.

Everything a user can get wrong is raised as a :class:`RoasteryError`; the command
line prints it without a traceback and exits 1. Any other exception is a defect of
Roastery and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Sequence

from .location import Location
from .printable import printable_lines, readable


class RoasteryError(Exception):
    """A mistake in the input: what is wrong, where, and what would be right.

    Args:
        message: one sentence naming both values ("3 bottoms given, 2 expected"). What it holds of
            names and paths need not be fit to be printed.
        location: the place in the user's file, if there is one.
        hint: what would be right ("did you mean `kernel_size`?").
        detail: further lines, such as a compiler's.
        field: the setting that is wrong (``batch_size``); by default the one at ``location``.
    """

    def __init__(
        self,
        message: str,
        *,
        location: Location | None = None,
        hint: str | None = None,
        detail: str = "",
        field: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.location = location
        self.hint = hint
        self.detail = detail
        self.field = field or (location.field if location is not None else "")

    def __str__(self) -> str:
        place = f"{self.location}: " if self.location else ""
        text = f"{place}{readable(self.message)}"
        if self.detail:
            text += f"\n{printable_lines(self.detail)}"
        if self.location and self.location.text:
            text += self.location.excerpt()
        if self.hint:
            text += f"\n  hint: {readable(self.hint)}"
        return text


class ErrorGroup(RoasteryError):
    """Several errors of one file, in the order of their lines."""

    def __init__(self, errors: Sequence[RoasteryError]) -> None:
        self.errors = tuple(errors)
        first = self.errors[0]
        super().__init__(first.message, location=first.location, hint=first.hint)

    def __str__(self) -> str:
        count = len(self.errors)
        text = "\n".join(str(error) for error in self.errors)
        return text if count == 1 else f"{text}\n{count} errors"


class StoppedBySignal(KeyboardInterrupt):
    """A signal that ends the program now, on its way out of what was being done.

    Attributes:
        number: the signal's; the exit code is 128 more.
    """

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number
