"""The module that stands as ``__builtins__`` in the globals of rewritten code, filled elsewhere."""

from __future__ import annotations

from types import ModuleType

BUILTINS = ModuleType("__builtin__", "The builtins of Python 2.")
