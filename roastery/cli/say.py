"""What commands print besides tables: one line, fit for a terminal whatever names are in it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TextIO

from ir.printable import printable

STANDARD_OUTPUT = "-"
"""The value of a flag that may name a file, and names none: what it asks for is printed."""


def say(text: str, stream: TextIO | None = None) -> None:
    """Print a line to standard output or another stream."""
    print(printable(text), file=stream if stream is not None else sys.stdout)


def say_note(text: str) -> None:
    """Print what the user should know, to standard error."""
    say(f"note: {text}", sys.stderr)


def preparation(seconds: float) -> str:
    """What a summary says of the time that compiling took, if it is worth a word."""
    return f" (and {seconds:.2f} s to compile the net)" if seconds >= 1 else ""


def say_nameless(file: str, classes: Iterable[int]) -> None:
    """Tell, on standard error, of which classes a file of names should have had names."""
    told = ", ".join(str(number) for number in sorted(classes)[:10])
    if told:
        say_note(f"'{file}' has no name for class {told}: is it that of this net?")
