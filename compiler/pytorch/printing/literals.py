"""Texts of a net's within texts of Python."""

from __future__ import annotations


def in_docstring(text: str) -> str:
    """As it may stand in a docstring, which it neither ends nor escapes from."""
    return text.replace("\\", "\\\\").replace('"', "'")


def string_literal(text: str) -> str:
    """A literal as formatters write it: in the quotes that ask for fewer escapes."""
    quote = '"' if text.count('"') <= text.count("'") else "'"
    inside = (f"\\{c}" if c == quote else c if c in "'\"" else repr(c)[1:-1] for c in text)
    return f"{quote}{''.join(inside)}{quote}"
