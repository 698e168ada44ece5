"""One notebook's names, and cells that run in them one after the other."""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from .display import offer_display
from .magics import plain_python
from .shell import Shell

CellParser = Callable[[str, str], ast.Module]


def python3(source: str, filename: str) -> ast.Module:
    """The tree of a cell in Python 3."""
    return ast.parse(source, filename)


class CellSession:
    """Runs cells as ``__main__``.

    Args:
        parse: makes the tree of a cell.
        names: names that are there from the start.
        skipped: whether a shell command is left out.
    """

    def __init__(
        self,
        parse: CellParser = python3,
        names: dict[str, Any] | None = None,
        skipped: Callable[[str], bool] = lambda command: False,
    ) -> None:
        self._parse = parse
        self._module = ModuleType("__main__")
        self.names = vars(self._module)
        self.names.update(names or {})
        shell = Shell(self._run_inner, self.names, skipped)
        self.names["get_ipython"] = lambda: shell
        self._filename = "<cell>"

    @contextmanager
    def running(self) -> Iterator[CellSession]:
        """In the block its names are those of the module ``__main__``."""
        before = sys.modules.get("__main__")
        made = offer_display(self.names)
        sys.modules["__main__"] = self._module
        try:
            yield self
        finally:
            if before is not None:
                sys.modules["__main__"] = before
            for name in made:
                sys.modules.pop(name, None)

    def run(self, source: str, title: str) -> Any:
        """Run a cell; the value of its last line, if that is an expression without a ``;``.

        Args:
            title: what tracebacks call it.
        """
        self._filename = f"<{title}>"
        lines = source.splitlines(keepends=True)
        linecache.cache[self._filename] = (len(source), None, lines, self._filename)
        value = self._run(plain_python(source), self._filename)
        return None if source.rstrip().endswith(";") else value

    def _run_inner(self, source: str, *, apart: bool = False) -> Any:
        """For a magic of the cell that runs now."""
        return self._run(plain_python(source), self._filename, dict(self.names) if apart else None)

    def _run(self, source: str, filename: str, names: dict[str, Any] | None = None) -> Any:
        names = self.names if names is None else names
        tree = self._parse(source, filename)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, filename, "exec", dont_inherit=True), names)
        if not isinstance(last, ast.Expr):
            return None
        code = compile(ast.Expression(last.value), filename, "eval", dont_inherit=True)
        value = eval(code, names)
        self.names["_"] = value
        return value
