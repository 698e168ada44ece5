"""``import`` of Python 2: a package's own modules first, and modules under their old names."""

from __future__ import annotations
import __future__

import builtins
import importlib
import importlib.util
import sys
from collections.abc import Mapping
from typing import Any

from ..rewrite.offered import RENAMED_IMPORTS
from .modules.registry import facade, has_facade


def import_(
    name: str,
    globals: Mapping[str, Any] | None = None,
    locals: Mapping[str, Any] | None = None,
    fromlist: Any = (),
    level: int = 0,
) -> Any:
    """What an ``import`` statement of rewritten code calls."""
    if level == 0 and globals and _beside(name, globals):
        return builtins.__import__(name, globals, locals, fromlist, 1)
    if level:
        return builtins.__import__(name, globals, locals, fromlist, level)
    first = name.partition(".")[0]
    new = RENAMED_IMPORTS.get(first)
    if new is not None and not _is_there(first):
        if new.startswith("="):
            return facade(first, None)
        found = importlib.import_module(new)
        return facade(new, found) if has_facade(new) else found
    module = builtins.__import__(name, globals, locals, fromlist, 0)
    known = name if fromlist else first
    return facade(known, module) if has_facade(known) else module


def _beside(name: str, globals: Mapping[str, Any]) -> bool:
    """Whether the module lies in the package of the one that imports it."""
    if isinstance(globals.get("absolute_import"), __future__._Feature):
        return False
    package = globals.get("__package__")
    if not package:
        return False
    whole = f"{package}.{name.partition('.')[0]}"
    if whole in sys.modules:
        return sys.modules[whole] is not None
    try:
        return importlib.util.find_spec(whole) is not None
    except (ImportError, AttributeError, ValueError):
        return False


def _is_there(name: str) -> bool:
    if name in sys.modules:
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
