"""What all of a Python 2 share: the module of its builtins, filled elsewhere, and its report."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

#: Stands as ``__builtins__`` in the globals of rewritten code.
BUILTINS = ModuleType("__builtin__", "The builtins of Python 2.")

#: Who is told of each file that is rewritten; the last one counts.
TOLD: list[Callable[[str, str, Any], None]] = []


def tell(path: str, before: str, converted: Any) -> None:
    """Of a file that a script runs by itself, not by importing it."""
    if TOLD:
        TOLD[-1](path, before, converted)
