"""Strings and numbers as Python 2 reads them: ``u''`` and ``ur''``, bytes; ``0777``, ``10L``."""

from __future__ import annotations

import re
from typing import Any

_STRING = re.compile(r"([uUbBrR]*)('''|\"\"\"|'|\")(.*)\2\Z", re.DOTALL)
_UNICODE_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\([uUN])")
_BYTE_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\(?:x[89a-fA-F][0-9a-fA-F]|[23][0-7][0-7])")


def rewrite_string(leaf: Any, unicode_literals: bool) -> None:
    """Change a leaf that is a string; ``unicode_literals``: all strings of its file are ``u''``."""
    match = _STRING.match(leaf.value)
    if match is None:
        return
    prefix, quote, body = match[1].lower(), match[2], match[3]
    text = leaf.value
    if "b" in prefix:  # a string, as any other
        if not _beside_another(leaf):
            leaf.value = f"py2_bytes({text})"
            leaf.changed()
        return
    if "u" in prefix:
        text = prefix.replace("u", "") + quote + body + quote
        if "r" in prefix and "\\u" in body:  # of a raw one these escapes alone were read
            safe = re.sub(r"\\(?!u[0-9a-fA-F]{4})", r"\\\\", body)
            text = quote + safe + quote
    elif not unicode_literals and "r" not in prefix:
        # With two of these there is no even number of backslashes before the second.
        body = _UNICODE_ESCAPE.sub(r"\1\\\\\2", body)
        text = quote + body + quote
        if _BYTE_ESCAPE.search(body) and body.isascii() and not _beside_another(leaf):
            text = f"py2_bytes(b{quote}{body}{quote})"
    if text != leaf.value:
        leaf.value = text
        leaf.changed()


def rewrite_number(leaf: Any) -> None:
    """``0777`` to ``0o777``; ``10L`` to ``10``."""
    text = str(leaf.value).rstrip("lL")
    if text.isdecimal() and text.startswith("0") and text.strip("0"):
        text = "0o" + text.lstrip("0")
    elif text.isdecimal() and not text.strip("0"):
        text = "0"
    if text != leaf.value:
        leaf.value = text
        leaf.changed()


def _beside_another(leaf: Any) -> bool:
    """Whether strings stand side by side, which makes one of them."""
    return any(
        other is not None and other.type == leaf.type
        for other in (leaf.prev_sibling, leaf.next_sibling)
    )
