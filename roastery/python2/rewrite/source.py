"""Bytes of a source file to text that a parser of Python 2 takes."""

from __future__ import annotations

import codecs
import io
import re
import tokenize

_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_TAB = 8  # columns, as Python 2 counts
_INDENT = re.compile(r"[ \t\f]*")


def source_text(data: bytes) -> str:
    """The text, its lines ended by ``\\n``, the last one too.

    In the encoding that its first lines name; else UTF-8, else Latin-1, which holds all bytes:
    Python 2 did not look into comments and strings.
    """
    data = data.removeprefix(codecs.BOM_UTF8)
    text = None
    for encoding in (*_named(data), "utf-8"):
        try:
            text = data.decode(encoding)
            break
        except (UnicodeDecodeError, LookupError):
            continue
    if text is None:
        text = data.decode("latin-1")
    text = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\x1a")
    return text if text.endswith("\n") else text + "\n"


def _named(data: bytes) -> list[str]:
    for line in data.splitlines()[:2]:
        if match := _COOKIE.match(line):
            return [match[1].decode("ascii", "replace")]
        if line.strip() and not line.lstrip().startswith(b"#"):
            break
    return []


def even_indents(text: str) -> str:
    """The text with a tab at the start of a line as Python 2 counts it: to the next column of 8.

    Only where some lines begin with tabs and others with spaces; inside of strings nothing changes.
    """
    lines = text.split("\n")
    inside = _inside_strings(text)
    indents = {
        _indent(line)
        for number, line in enumerate(lines, 1)
        if number not in inside and line.strip() and not line.lstrip().startswith("#")
    } - {""}
    if not any("\t" in indent for indent in indents) or not any(" " in i for i in indents):
        return text
    for number, line in enumerate(lines, 1):
        if number not in inside and "\t" in (indent := _indent(line)):
            lines[number - 1] = indent.expandtabs(_TAB) + line[len(indent) :]
    return "\n".join(lines)


def _indent(line: str) -> str:
    match = _INDENT.match(line)
    return match[0] if match else ""


def _inside_strings(text: str) -> set[int]:
    """The numbers of lines that begin inside of a string."""
    from fissix.pgen2 import tokenize as old_tokenize
    from fissix.pgen2.token import STRING

    found: set[int] = set()
    try:
        for kind, _, (first, _), (last, _), _ in old_tokenize.generate_tokens(
            io.StringIO(text).readline
        ):
            if kind == STRING:
                found.update(range(first + 1, last + 1))
    except (old_tokenize.TokenError, IndentationError, tokenize.TokenError):
        pass  # whoever parses it says what is wrong
    return found
