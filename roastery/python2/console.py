"""A console whose lines are Python 2."""

from __future__ import annotations

import code
from types import CodeType
from typing import Any

from .rewrite.compiled import compile_converted
from .rewrite.converter import convert
from .rewrite.source import source_text


class _Compile:
    """What :class:`code.InteractiveInterpreter` asks for a block: None while it goes on."""

    def __call__(self, source: str, filename: str = "<input>", kind: str = "single") -> Any:
        if not source.strip() or all(
            line.lstrip().startswith("#") for line in source.splitlines() if line.strip()
        ):
            source = "pass"
        if _goes_on(source):
            return None
        return self._code(source, filename)

    def _code(self, source: str, filename: str) -> CodeType:
        text = source_text(source.encode("utf-8", "surrogateescape"))
        converted = convert(text, filename, always=True)
        return compile_converted(converted, text, filename, "single")


def _goes_on(source: str) -> bool:
    """Whether more lines belong to it: open brackets or strings, or a block with no empty line."""
    from fissix.pgen2 import tokenize
    from fissix.pgen2.token import NAME, OP

    depth, first = 0, ""
    lines = iter([line + "\n" for line in source.split("\n")])
    try:
        for kind, word, _, _, _ in tokenize.generate_tokens(lambda: next(lines, "")):
            if kind == OP:
                depth += (word in "([{") - (word in ")]}")
            if not first and kind in (NAME, OP):
                first = word
    except tokenize.TokenError:
        return True
    except IndentationError:
        return False
    last = source.split("\n")[-1]
    if last.rstrip().endswith("\\"):
        return True
    block = first in ("if", "for", "while", "def", "class", "try", "with", "@") or (
        source.split("\n")[0].rstrip().endswith(":")
    )
    return depth > 0 or (block and bool(last.strip()))


def interact(banner: str, names: dict[str, Any]) -> None:
    """Read and run lines until the input ends."""
    console = code.InteractiveConsole(names)
    console.compile = _Compile()  # type: ignore[assignment]
    console.interact(banner)
