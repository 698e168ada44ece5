"""Lines of IPython's own in a cell, as calls: ``%name``, ``%%name``, ``!command``, ``name?``."""

from __future__ import annotations

import re

_CELL = re.compile(r"\s*%%\s*(\w+)[ \t]*(.*)")
_LINE = re.compile(r"(\s*)%\s*([A-Za-z_]\w*)[ \t]*(.*)")
_SHELL = re.compile(r"(\s*)!(!?)(.*)")
_ASSIGNED = re.compile(r"(\s*[A-Za-z_][\w.\[\]'\"]*\s*=\s*)([!%])\s*(.*)")
_ASKED = re.compile(r"(\s*)\??\?[\w.*]+\s*$|(\s*)[\w.]+\s*\?\??\s*$")

#: What a cell calls them by.
SHELL = "get_ipython()"


def plain_python(source: str) -> str:
    """The cell with as many lines, in which they are calls of ``get_ipython()``."""
    lines = source.split("\n")
    first = next((at for at, line in enumerate(lines) if line.strip()), len(lines))
    if first < len(lines) and (match := _CELL.match(lines[first])):
        body = "\n".join(lines[first + 1 :])
        call = f"{SHELL}.run_cell_magic({match[1]!r}, {match[2]!r}, {body!r})"
        return "\n" * first + call
    return "\n".join(_joined(lines))


def _joined(lines: list[str]) -> list[str]:
    """Each line that is IPython's with those that it goes on in, and empty ones for them."""
    found: list[str] = []
    quote = ""
    at = 0
    while at < len(lines):
        line = lines[at]
        if quote or not _is_own(line):
            quote = _quote_after(line, quote)
            found.append(line)
            at += 1
            continue
        whole, count = line, 1
        while whole.endswith("\\") and at + count < len(lines):
            whole = whole[:-1].rstrip() + " " + lines[at + count].strip()
            count += 1
        found += [_call(whole), *[""] * (count - 1)]
        at += count
    return found


def _is_own(line: str) -> bool:
    return any(each.match(line) for each in (_LINE, _SHELL, _ASSIGNED, _ASKED))


def _call(line: str) -> str:
    if match := _ASSIGNED.match(line):
        if match[2] == "!":
            return f"{match[1]}{SHELL}.getoutput({match[3]!r})"
        name, _, rest = match[3].partition(" ")
        return f"{match[1]}{SHELL}.run_line_magic({name!r}, {rest.strip()!r})"
    if match := _LINE.match(line):
        return f"{match[1]}{SHELL}.run_line_magic({match[2]!r}, {match[3].rstrip()!r})"
    if match := _SHELL.match(line):
        return f"{match[1]}{SHELL}.system({match[3].strip()!r})"
    return line[: len(line) - len(line.lstrip())] + "pass"


def _quote_after(line: str, quote: str) -> str:
    """Which triple quotes are open at the line's end."""
    for mark in re.findall(r"'''|\"\"\"", line):
        if not quote:
            quote = mark
        elif mark == quote:
            quote = ""
    return quote
