"""Text to tree: drives the LALR parser token by token and mends what is broken.

Every syntax error is reported and then repaired in the cheapest way (a missing colon is
put in, an unreadable value is skipped, an open block is closed), so that one run finds
all errors of a file. A line gives at most one syntax error, for the rest of a broken
line is seldom worth reading.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, UnexpectedInput
from lark.parsers.lalr_interactive_parser import InteractiveParser

from ir.errors import RoasteryError
from ir.location import Location

from .tree import Entry, SourceText, TreeBuilder

#: Protobuf refuses deeper messages too.
MAX_DEPTH = 100
#: More blocks are no net: the largest have a few thousand layers of a few blocks each, and what
#: is done for a layer is done for each.
MAX_BLOCKS = 50_000
#: After so many errors a file is not read on.
MAX_ERRORS = 50
#: Nor after so many that are not told, on lines that have an error already: mending takes time.
MAX_UNTOLD = 1000

_CLOSERS = {"LBRACE": ("RBRACE", "}"), "LANGLE": ("MORETHAN", ">"), "LSQUARE": ("RSQB", "]")}
_CLOSER_TYPES = frozenset(kind for kind, _ in _CLOSERS.values())
_VALUE_STARTS = frozenset({"STRING", "NUMBER", "SIGN", "NAME", "BARE_PATH"})
_COLON_LOOKALIKES = frozenset("=：")


@cache
def _grammar() -> Lark:
    return Lark(
        (Path(__file__).parent / "grammar.lark").read_text(encoding="utf-8"),
        parser="lalr",
        lexer="basic",
        transformer=TreeBuilder(),
        maybe_placeholders=False,
    )


class TooManyErrors(Exception):
    """Reading stops; the errors so far are in the list."""


class SyntaxReader:
    """Reads one file. ``errors`` holds what was wrong.

    ``bare_paths``: whether a path stands without quotes, as only MyCaffe reads it.
    """

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.errors: list[RoasteryError] = []
        self.unclosed = False
        self.bare_paths = False
        self._opened: list[Token] = []
        self._blocks = 0
        self._previous: Token | None = None
        self._last_error_line = 0
        self._untold = 0
        self._skip_line = 0
        self._parser: InteractiveParser

    def read(self) -> list[Entry]:
        """The entries of the file, as far as they could be read.

        Raises:
            RoasteryError: blocks nest too deep, or are too many.
            TooManyErrors: there are more than ``MAX_ERRORS``.
        """
        self._parser = _grammar().parse_interactive(self.source.text)
        tokens = self._parser.lexer_thread.lex(self._parser.parser_state)
        try:
            for token in tokens:
                self._take(token)
            return self._finish()
        except UnexpectedInput:
            # Beyond mending. What was found so far is reported; the rest stays unread.
            if not self.errors:
                place = self._previous or Token("$END", "", line=1, column=1)
                self._report(place, f"this can not be read on after `{_shown(place)}`")
            return []

    # -- tokens ------------------------------------------------------------------------

    def _take(self, token: Token) -> None:
        if token.line == self._skip_line and token.type not in _CLOSER_TYPES:
            return
        if token.type in ("CURLY_STRING", "BROKEN_STRING"):
            token = self._mended_string(token)
        elif token.type == "JUNK":
            self._mend(token)
            return
        try:
            self._feed(token)
        except UnexpectedInput:
            self._mend(token)

    def _feed(self, token: Token) -> Any:
        result = self._parser.feed_token(token)
        kind = token.type
        self.bare_paths |= kind == "BARE_PATH"
        if kind in _CLOSERS:
            self._opened.append(token)
            self._blocks += 1
            if self._blocks > MAX_BLOCKS:
                raise RoasteryError(
                    f"more than {MAX_BLOCKS} blocks", location=self.source.place(token)
                )
            if len(self._opened) > MAX_DEPTH:
                raise RoasteryError(
                    f"blocks nest deeper than {MAX_DEPTH}", location=self.source.place(token)
                )
        elif kind in _CLOSER_TYPES and self._opened:
            self._opened.pop()
        self._previous = token
        return result

    def _insert(self, kind: str, text: str, near: Token) -> None:
        """Feed a token that the text lacks."""
        self._feed(Token.new_borrow_pos(kind, text, near))

    def _report(self, token: Token, message: str, hint: str | None = None) -> None:
        self._report_at(self.source.place(token), message, hint)

    def _report_at(self, location: Location, message: str, hint: str | None = None) -> None:
        if location.line == self._last_error_line:
            self._untold += 1
            if self._untold >= MAX_UNTOLD:
                raise TooManyErrors
            return
        self._last_error_line = location.line
        self.errors.append(RoasteryError(message, location=location, hint=hint))
        if len(self.errors) >= MAX_ERRORS:
            raise TooManyErrors

    # -- mending -----------------------------------------------------------------------

    def _mended_string(self, token: Token) -> Token:
        """A plain string token for one with curly quotes or without an end."""
        if token.type == "CURLY_STRING":
            inner = token[1:].rstrip('“”„‟‘’‚‛«»"')
            self._report(token, f"curly quotes around {inner!r}", f'use straight quotes: "{inner}"')
        else:
            inner = token[1:].rstrip()
            self._report(
                token,
                f"the string that begins here has no closing {token[0]}",
                "strings end on the line they begin on",
            )
            # A brace inside the lost string was most likely meant as one.
            self.unclosed |= "}" in inner
        return Token.new_borrow_pos("STRING", '"' + inner.replace('"', "'") + '"', token)

    def _mend(self, token: Token) -> None:
        wanted = self._parser.accepts()
        previous = self._previous
        if "COLON" in wanted and previous is not None and previous.type == "NAME":
            self._mend_after_name(token, previous)
        elif previous is not None and previous.type in ("COLON", "SIGN"):
            self._mend_value(token)
        elif token.type in _CLOSER_TYPES:
            self._mend_closer(token)
        elif token.type == "STRING" and "NAME" in wanted:
            self._report(token, f"{token} where a field name is expected", "names take no quotes")
            self._feed(Token.new_borrow_pos("NAME", token[1:-1], token))
        else:
            self._report(token, self._unexpected(token), self._quotes_hint())
            self._skip_line = token.line or 0

    def _mend_after_name(self, token: Token, name: Token) -> None:
        if token in _COLON_LOOKALIKES:
            self._report(
                token, f"expected `:` after `{name}`, found `{_shown(token)}`", f"write `{name}:`"
            )
            self._insert("COLON", ":", token)
        elif token.type in _VALUE_STARTS and (token.line == name.line or token.type != "NAME"):
            self._report(
                token, f"missing `:` between `{name}` and {token}", f"write `{name}: {token}`"
            )
            self._insert("COLON", ":", token)
            self._take(token)
        else:
            self._report(name, f"`{name}` has no value")
            self._insert("COLON", ":", token)
            self._insert("MISSING", "", token)
            self._take(token)

    def _mend_value(self, token: Token) -> None:
        closing = token.type in _CLOSER_TYPES or token.type in ("COMMA", "SEMICOLON")
        if closing:
            self._report(token, f"a value is missing before `{token}`")
            self._insert("MISSING", "", token)
            self._take(token)
            return
        hint = 'strings stand in quotes: "..."'
        self._report(token, f"expected a value, found `{_shown(token)}`", hint)
        self._insert("UNREADABLE", "", token)
        self._skip_line = token.line or 0

    def _mend_closer(self, token: Token) -> None:
        if not self._opened:
            self._report(token, f"`{token}` closes nothing", "is a `{` missing above?")
            return
        opened = self._opened[-1]
        kind, text = _CLOSERS[opened.type]
        if kind == token.type:
            self._report(token, self._unexpected(token))
            return
        self._report(
            token,
            f"`{token}` where `{text}` should close the `{opened}` of line {opened.line}",
        )
        if any(_CLOSERS[o.type][0] == token.type for o in self._opened):
            self._insert(kind, text, token)
            self._take(token)

    def _unexpected(self, token: Token) -> str:
        after = f" after `{_shown(self._previous)}`" if self._previous is not None else ""
        return f"unexpected `{_shown(token)}`{after}"

    def _quotes_hint(self) -> str | None:
        previous = self._previous
        if previous is not None and previous.type == "NAME":
            return 'strings with `/`, `.` and the like stand in quotes: "..."'
        return None

    def _finish(self) -> list[Entry]:
        """Close what is open and end the parse."""
        end = Token("$END", "")
        end.line, end.column = self.source.end().line, self.source.end().column
        wanted = self._parser.accepts()
        if self._previous is not None and "$END" not in wanted:
            if "COLON" in wanted and self._previous.type == "NAME":
                self._report(self._previous, f"`{self._previous}` has no value")
                self._insert("COLON", ":", end)
                self._insert("MISSING", "", end)
            elif self._previous.type in ("COLON", "SIGN"):
                self._report(self._previous, f"a value is missing after `{self._previous}`")
                self._insert("MISSING", "", end)
        if self._opened and not self.unclosed:
            opened = self._opened[-1]
            closer = _CLOSERS[opened.type][1]
            self._report(opened, f"`{opened}` is never closed", f"add the missing `{closer}`")
        self.unclosed |= bool(self._opened)
        while self._opened:
            kind, text = _CLOSERS[self._opened[-1].type]
            self._close(kind, text, end)
        result = self._parser.feed_token(end)
        return result if isinstance(result, list) else []

    def _close(self, kind: str, text: str, end: Token) -> None:
        if kind not in self._parser.accepts():  # only inside a list, after a comma
            self._insert("MISSING", "", end)
        self._insert(kind, text, end)


def _shown(token: Token) -> str:
    """A token as an error shows it: short, and printable everywhere."""
    text = str(token) if len(token) <= 40 else token[:37] + "..."
    return text.encode("utf-8", "backslashreplace").decode()
