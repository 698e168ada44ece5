"""How C spells names of nets, tensors and layers."""

from __future__ import annotations

import re
from collections.abc import Collection

_LONGEST = 60


def identifier(name: str, taken: Collection[str]) -> str:
    """A net's name in lower case as files, functions and types can have it.

    ``taken``: words that mean something else where it stands.
    """
    found = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:_LONGEST] or "net"
    return f"net_{found}" if found[0].isdigit() or found in taken else found


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
