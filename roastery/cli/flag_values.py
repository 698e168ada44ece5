"""What stands after a flag's name: a boolean, a number, a word of several."""

from __future__ import annotations

import math
from collections.abc import Iterable
from difflib import get_close_matches

from .command import Flag, UsageError

_TRUE = frozenset({"1", "t", "true", "y", "yes"})
_FALSE = frozenset({"0", "f", "false", "n", "no"})


def suggest(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'train'?``, or nothing when no known word is near."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def metavar(flag: Flag) -> str:
    """What stands for the flag's value in messages and help: ``FILE``, ``N``, ``a|b``."""
    if flag.choices:
        return "|".join(flag.choices)
    return flag.metavar or {"int": "N", "float": "X"}.get(flag.kind, flag.name.upper())


def flag_value(shown: str, flag: Flag, text: str | None) -> bool | str | int | float:
    """What is written for a flag, as its kind of value.

    Args:
        shown: how the flag is written; errors begin with it.
        text: None: a boolean stands alone, and so is true.

    Raises UsageError for what its values cannot be.
    """
    if flag.kind == "bool":
        return True if text is None else truth(shown, text)
    assert text is not None, shown
    return _word_or_number(shown, flag, text)


def truth(shown: str, value: str) -> bool:
    """What is written for a boolean, or a UsageError that begins with ``shown``."""
    word = value.lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise UsageError(f"{shown}={value}: a boolean is true or false")


def _word_or_number(shown: str, flag: Flag, value: str) -> str | int | float:
    if flag.empty and not value:
        return str(flag.default)
    if flag.choices and value not in flag.choices:
        known = ", ".join(flag.choices)
        near = suggest(flag.meant.get(value.lower(), value), flag.choices)
        raise UsageError(f"{shown}={value}: must be one of {known}{near}")
    if flag.kind == "string":
        return value
    number: int | float
    try:
        number = int(value, 0) if flag.kind == "int" else float(value)
    except (ValueError, OverflowError):
        kind = "a whole number" if flag.kind == "int" else "a number"
        raise UsageError(f"{shown}={value[:40]}: '{value[:40]}' is not {kind}") from None
    if not math.isfinite(number):
        raise UsageError(f"{shown}={value}: must be a finite number")
    if flag.minimum is not None and not number >= flag.minimum:
        raise UsageError(f"{shown}={value}: must be {flag.minimum:g} or more")
    if flag.kind == "int" and abs(number) > flag.maximum:
        raise UsageError(f"{shown}={value[:40]}: must be at most {flag.maximum:.0f}")
    return number
