"""What Python layers read from ``param_str``: the part of YAML that nets use.

A mapping, as lines (``'feat_stride': 16``) or in braces, of numbers, words, and lists of them.
Nothing in it is run.
"""

from __future__ import annotations

import re
from typing import Any

_TOKEN = re.compile(
    r"""\s*(?:\#[^\n]*|(?P<text>'(?:[^']|'')*'|"(?:[^"\\]|\\.)*")|(?P<mark>[][{}(),:])"""
    r"""|(?P<tag>!+[\w/.:]*)|(?P<word>[^\s\][{}(),:'"\#]+(?::[^\s\][{}(),:'"\#]+)*))"""
)
_ENDS = {"[": "]", "(": ")"}
_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NOTHING = ("null", "~", "none")
_DEEPEST = 20


class SettingsError(ValueError):
    """A text that is not in this part of YAML."""


def settings_in(text: str) -> dict[str, Any]:
    """The mapping that a text is; an empty one of no text. Raises :class:`SettingsError`."""
    reader = _Reader(text)
    if reader.peek() == "{":
        found = reader.braces(0)
    else:
        found = reader.lines()
    if reader.peek():
        raise SettingsError(f"unexpected {reader.peek()!r}")
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str, int]] = []  # kind, text, its line; the next one last
        text = text.strip()
        place = line = 0
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                raise SettingsError(f"unexpected {text[place:].strip()[:20]!r}")
            kind = match.lastgroup
            if kind is not None:
                start = match.start(kind)
                line += text.count("\n", place, start)
                if kind != "tag":  # as !!python/tuple: a list is a list
                    self.tokens.append((kind, match[kind], line))
                place = start
            line += text.count("\n", place, match.end())
            place = match.end()
        self.tokens.reverse()

    def peek(self) -> str:
        return self.tokens[-1][1] if self.tokens else ""

    def line(self) -> int:
        return self.tokens[-1][2] if self.tokens else -1

    def expect(self, mark: str) -> None:
        if self.peek() != mark:
            shown = f"{self.peek()!r}" if self.tokens else "the end"
            raise SettingsError(f"{mark!r} expected, {shown} found")
        self.tokens.pop()

    def lines(self) -> dict[str, Any]:
        """``key: value`` on lines of their own; a list may be lines that begin with ``-``."""
        found: dict[str, Any] = {}
        while self.tokens:
            line = self.line()
            key = self.key()
            self.expect(":")
            if self.line() == line:
                found[key] = self.value(0)
                if self.line() == line:
                    raise SettingsError(f"unexpected {self.peek()!r} after `{key}`")
                continue
            items = []
            while self.peek() == "-":
                self.tokens.pop()
                items.append(self.value(0))
            found[key] = items or None
        return found

    def braces(self, depth: int) -> dict[str, Any]:
        self.expect("{")
        found: dict[str, Any] = {}
        while self.peek() != "}":
            key = self.key()
            self.expect(":")
            found[key] = self.value(depth + 1)
            if self.peek() != "}":
                self.expect(",")
        self.tokens.pop()
        return found

    def key(self) -> str:
        if not self.tokens or self.tokens[-1][0] == "mark":
            raise SettingsError(f"a name expected, {self.peek()!r} found")
        kind, text, _ = self.tokens.pop()
        return _unquoted(text) if kind == "text" else text

    def value(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise SettingsError("lists in lists, too deep")
        if not self.tokens:
            raise SettingsError("a value expected, the end found")
        if self.peek() == "{":
            return self.braces(depth)
        kind, text, _ = self.tokens.pop()
        if kind == "text":
            return _unquoted(text)
        if kind == "word":
            return _scalar(text)
        if text not in _ENDS:
            raise SettingsError(f"a value expected, {text!r} found")
        items = []
        while self.peek() != _ENDS[text]:
            items.append(self.value(depth + 1))
            if self.peek() != _ENDS[text]:
                self.expect(",")
        self.tokens.pop()
        return items


def _unquoted(text: str) -> str:
    inner = text[1:-1]
    return inner.replace("''", "'") if text[0] == "'" else re.sub(r"\\(.)", r"\1", inner)


def _scalar(text: str) -> Any:
    word = text.lower()
    if word in _WORDS:
        return _WORDS[word]
    if word in _NOTHING:
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
