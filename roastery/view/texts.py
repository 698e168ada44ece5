"""Long texts of a page: each once, together no longer than a page should be."""

from __future__ import annotations

import base64
import json
import zlib

LONGEST = 40_000
"""Characters of one text."""
_MOST = 24_000_000
"""Characters of all: a hundredth of that, more or less, when they are compressed."""


class PageTexts:
    """Texts by number, compressed as a whole."""

    def __init__(self, longest: int = LONGEST, most: int = _MOST) -> None:
        self._numbers: dict[str, int] = {}
        self._longest, self._left = longest, most

    def add(self, text: str) -> int:
        """The number of a text; one that is too long ends with how much is left out."""
        if len(text) > self._longest:
            kept = text[: self._longest].rpartition("\n")[0] or text[: self._longest]
            text = f"{kept}\n... ({len(text) - len(kept):,} characters left out)\n"
        if text in self._numbers:
            return self._numbers[text]
        if len(text) > self._left:
            text = "(left out: the page would be too large)\n"
        if text not in self._numbers:
            self._left -= len(text)
            self._numbers[text] = len(self._numbers)
        return self._numbers[text]

    def packed(self) -> str:
        """A JSON list of all, deflated (zlib), in base64."""
        data = json.dumps(list(self._numbers)).encode()
        return base64.b64encode(zlib.compress(data, 9)).decode()
