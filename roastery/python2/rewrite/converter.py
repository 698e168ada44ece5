"""Text of Python 2 to text of Python 3: fissix for the grammar, own rules for the meaning."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ir.errors import RoasteryError

from .is_python3 import python3_only
from .source import even_indents

#: Of fissix's fixers those for what Python 3 cannot parse, and for attributes of the language's own
#: objects. Names are not rewritten: the builtins of rewritten code have them.
_FIXERS = (
    "exec", "funcattrs", "methodattrs", "ne", "paren", "print", "repr",
    "throw", "tuple_params", "xreadlines",
)  # fmt: skip


@dataclass(frozen=True)
class Converted:
    """Source that Python 3 takes.

    Attributes:
        text: the source.
        lines: for each of its lines the number, from 1, of the line that it came from.
        names: names of Python 2 that it uses, each with the first line that does.
        python3: it was Python 3 before, and is as it was.
    """

    text: str
    lines: Sequence[int]
    names: Sequence[tuple[str, int]] = ()
    python3: bool = False


def convert(text: str, name: str, *, always: bool = False) -> Converted:
    """Rewrite a module. ``always``: also what Python 3 alone would take.

    Raises:
        SyntaxError: it is neither Python 2 nor 3; the line is the file's own.
        RoasteryError: fissix is not installed.
    """
    tool = _tool()
    whole = range(1, text.count("\n") + 1)
    if not always and python3_only(text):
        return Converted(text, whole, python3=True)
    even = even_indents(text)
    tree = _parse(tool, even, name)
    from .rules import apply_rules

    tool.refactor_tree(tree, name)
    names = apply_rules(tree)
    return Converted(str(tree), _origins(tree), names)


def check_installed() -> None:
    """Raises RoasteryError where there is no fissix."""
    try:
        import fissix  # noqa: F401
    except ImportError:
        raise RoasteryError(
            "rewriting Python 2 needs the package fissix, which is not installed",
            hint="pip install 'roastery[py2]', or pip install fissix",
        ) from None


@functools.cache
def _tool() -> Any:
    check_installed()
    from fissix.refactor import RefactoringTool

    return RefactoringTool([f"fissix.fixes.fix_{name}" for name in _FIXERS])


def _parse(tool: Any, text: str, name: str) -> Any:
    """The tree, with ``print`` as a statement, or as a function where the file says or needs so."""
    from fissix import pygram
    from fissix.pgen2.parse import ParseError
    from fissix.pgen2.tokenize import TokenError
    from fissix.refactor import _detect_future_features

    features = _detect_future_features(text)
    grammars = [tool.grammar, pygram.python_grammar_no_print_statement]
    first: SyntaxError | None = None
    for grammar in grammars[1:] if "print_function" in features else grammars:
        tool.driver.grammar = grammar
        try:
            tree = tool.driver.parse_string(text)
        except ParseError as error:
            line, column = error.context[1]
            first = first or _syntax_error("invalid syntax", name, line, column, text)
        except TokenError as error:
            line, column = error.args[1]
            first = first or _syntax_error(str(error.args[0]), name, line, column, text)
        except IndentationError as error:
            first = first or _syntax_error(
                error.msg, name, error.lineno or 1, error.offset or 0, text, IndentationError
            )
        else:
            tree.future_features = features
            return tree
        finally:
            tool.driver.grammar = tool.grammar
    assert first is not None
    raise first


def _syntax_error(
    message: str,
    name: str,
    line: int,
    column: int,
    text: str,
    kind: type[SyntaxError] = SyntaxError,
) -> SyntaxError:
    lines = text.split("\n")
    shown = lines[line - 1] if 0 < line <= len(lines) else ""
    return kind(f"{message} (as Python 2)", (name, line, column + 1, shown))


def _origins(tree: Any) -> list[int]:
    """For each line of the tree's text the line that it was read from."""
    found: dict[int, int] = {}
    line = 1
    for leaf in tree.leaves():
        line += leaf.prefix.count("\n")
        height = leaf.value.count("\n")
        if leaf.lineno and leaf.value.strip():
            for at in range(height + 1):
                found.setdefault(line + at, leaf.lineno + at)
        line += height
    origins = [0]
    for number in range(1, line + 1):
        origins.append(found.get(number, origins[-1] or 1))
    return origins[1:]
