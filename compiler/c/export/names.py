"""How C spells names of nets, tensors and layers."""

from __future__ import annotations

import re
from collections.abc import Collection

_KEYWORDS = frozenset(
    """
    auto break case char const continue default do double else enum extern float for goto if inline
    int long main net register restrict return short signed sizeof static struct switch typedef
    union unsigned void volatile while asm class delete new operator private public template this
    virtual
    """.split()  # noqa: SIM905
)
_LONGEST = 60


def identifier(name: str) -> str:
    """A net's name in lower case as files, functions and types can have it."""
    found = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:_LONGEST] or "net"
    if found[0].isdigit() or found in _KEYWORDS:
        return f"net_{found}" if found != "net" else "the_net"
    return found


def fresh(name: str, taken: Collection[str]) -> str:
    """The name, or with a number behind it."""
    number = 2
    found = name
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    return found


def c_string(text: str) -> str:
    """A literal of the text's bytes."""
    parts = []
    for byte in text.encode("utf-8", "surrogateescape"):
        plain = 32 <= byte < 127 and byte not in b'"\\?'
        parts.append(chr(byte) if plain else f"\\{byte:03o}")
    return f'"{"".join(parts)}"'


def comment_text(text: str) -> str:
    """What may stand inside of a comment."""
    return text.replace("*/", "* /").replace("/*", "/ *")
