"""Numbers as programs in C++ print them."""

from __future__ import annotations

import math
import re

_DECIMAL = re.compile(r"[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?")

#: Most digits of a number of iterations; Caffe's have 32 bits.
_DIGITS = 18


def parse_value(text: str) -> float | None:
    """The value that a text begins with; None if it begins with none.

    NaN and infinite values have many spellings: nan, -nan, nan(ind), 1.#QNAN, -1.#IND, 1.#INF.
    """
    words = text.split(None, 1)
    word = words[0].rstrip(",;") if words else ""
    if match := _DECIMAL.match(word):
        rest = word[match.end() :].lower()
        if rest.startswith("#"):
            infinite = -math.inf if word[0] == "-" else math.inf
            return infinite if "inf" in rest else math.nan
        if rest.startswith("e"):
            return None  # cut off within its exponent
        try:
            return float(match[0])
        except ValueError:
            return None
    word = word.lstrip("+").lower()
    if word.startswith(("nan", "-nan")):
        return math.nan
    if word.startswith(("inf", "-inf")):
        return -math.inf if word[0] == "-" else math.inf
    return None


def parse_count(digits: str) -> int | None:
    """A whole number; None if it has absurdly many digits."""
    return int(digits) if len(digits.lstrip("-")) <= _DIGITS else None
