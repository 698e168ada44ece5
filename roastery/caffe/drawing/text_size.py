"""How much room text takes, in pixels: enough for the fonts that a browser may choose."""

from __future__ import annotations

import unicodedata

LINE = 15.0  # from one line of text to the next
_SIZE = 12.0  # for which the widths are

_WIDE = frozenset("mwMW@%&")
_NARROW = frozenset("ijl.,:;|!'()[] ")


def text_width(text: str, size: float = _SIZE) -> float:
    return sum(map(_width, text)) * size / _SIZE


def _width(character: str) -> float:
    if character in _WIDE:
        return 11.9
    if character in _NARROW:
        return 4.8
    if unicodedata.east_asian_width(character) in ("W", "F"):
        return 12.5
    if unicodedata.combining(character):
        return 0.0
    return 9.4 if character.isupper() else 7.7
