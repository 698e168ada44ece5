"""Names and paths from files, as a terminal or a log may show them.

A name may hold anything, also a line end and what looks like a log line after it, a terminal's
escape sequence, or marks that turn the direction of writing. Shown, each of these is its escape.
"""

from __future__ import annotations

import json
import unicodedata

#: Control characters, invisible format characters (directions, joiners), halves of characters
#: (bytes that were no UTF-8), line and paragraph separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
#: A sentence that names all blobs of a large net fits; a name of megabytes does not.
_MOST_CHARACTERS = 8000


def printable(text: str) -> str:
    """One line that shows everything in ``text``; what is visible already stays as it is."""
    if text.isprintable():
        return text
    return "".join(_escape(c) if _hidden(c) else c for c in text)


def readable(text: str) -> str:
    """As :func:`printable`, without the middle of what nobody would read to its end."""
    if len(text) <= _MOST_CHARACTERS:
        return printable(text)
    head, tail = text[: _MOST_CHARACTERS * 3 // 4], text[-_MOST_CHARACTERS // 4 :]
    left = len(text) - len(head) - len(tail)
    return f"{printable(head)} ... ({left} characters left out) ... {printable(tail)}"


def printable_lines(text: str) -> str:
    """As :func:`printable`, for a text whose line ends and tabs are ours."""
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))


def json_text(text: str) -> str:
    """JSON in which other characters than these stand as they are."""
    if text.isprintable():
        return text
    return "".join(json.dumps(c)[1:-1] if _hidden(c) else c for c in text)


def _hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN


def _escape(character: str) -> str:
    """``\\n``, ``\\x1b``, ``\\u202e``; a byte that was no UTF-8 is ``\\xff``."""
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
