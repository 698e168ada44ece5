"""Modules of a script's own that are called as packages of ours: ``runtime``, ``compiler`` ...

Under `roastery python`, ``import runtime`` in a user's module finds the user's ``runtime``, where
Python would find one before ours, and in our modules ours. Both have to be in ``sys.modules``, so
the user's is there as ``__script__.runtime``: that is its ``__name__``.

Imports nothing of ours: children of a script load this file by its path, before all else.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

NAMES = frozenset({"ir", "compiler", "runtime", "frontends"})
"""Packages of ours that a script may have, too."""
OURS = NAMES | {"roastery"}
"""All of ours, whose modules import each other by these names."""
SCRIPT = "__script__"
"""The package that stands for the folders in which a script's own modules are."""

_HOME = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))


class _Folders(Sequence[str]):
    """Python's path of the moment without the folder that holds our packages."""

    def _all(self) -> list[str]:
        return [folder for folder in sys.path if _real(folder) != _HOME]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __getitem__(self, at: Any) -> Any:
        return self._all()[at]


class _Ours(MetaPathFinder):
    """Finds our packages where they are, whatever else is on Python's path."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return PathFinder.find_spec(fullname, [_HOME]) if fullname in OURS else None


def tell_apart() -> None:
    """From now on imports tell both apart."""
    package = ModuleType(SCRIPT, "Modules of the script's own.")
    package.__path__ = _Folders()  # type: ignore[assignment]
    package.__spec__ = ModuleSpec(SCRIPT, None, is_package=True)
    package.users_name = users_name  # type: ignore[attr-defined]
    sys.modules[SCRIPT] = package
    sys.meta_path.insert(0, _ours)
    builtins.__import__ = _import
    importlib.import_module = _import_module


@contextlib.contextmanager
def told_apart() -> Iterator[None]:
    """In the block imports tell both apart, if they do not so anyway."""
    if SCRIPT in sys.modules:
        yield
        return
    tell_apart()
    try:
        yield
    finally:
        builtins.__import__, importlib.import_module = _plain_import, _plain_import_module
        sys.meta_path.remove(_ours)
        for name in [n for n in sys.modules if n.partition(".")[0] == SCRIPT]:
            del sys.modules[name]


def users_name(name: str, importer: Mapping[str, Any] | None = None) -> str:
    """What a module is called in ``sys.modules``, asked for as ``name``.

    Args:
        importer: the globals of who asks; what is ours is never given another's.
    """
    top = name.partition(".")[0]
    if top not in NAMES or SCRIPT not in sys.modules or _is_ours(importer):
        return name
    full = f"{SCRIPT}.{top}"
    if full not in sys.modules:
        found = _find(full)
        if found is None or found.origin is None:  # a folder without __init__.py comes last
            return name
    return f"{SCRIPT}.{name}"


def _find(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None


def _is_ours(importer: Mapping[str, Any] | None) -> bool:
    return str((importer or {}).get("__name__") or "").partition(".")[0] in OURS


def _real(folder: str) -> str:
    try:
        return os.path.realpath(folder)
    except OSError:  # the working directory has been removed
        return folder


_ours = _Ours()
_plain_import = builtins.__import__
_plain_import_module = importlib.import_module


def _import(
    name: str,
    globals: Mapping[str, Any] | None = None,
    locals: Mapping[str, Any] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    if level or name.partition(".")[0] not in NAMES:
        return _plain_import(name, globals, locals, fromlist or (), level)
    theirs = users_name(name, globals)
    if theirs == name:
        return _plain_import(name, globals, locals, fromlist or (), level)
    try:
        module = _plain_import(theirs, globals, locals, fromlist or (), 0)
    except ModuleNotFoundError as error:
        if _is_missing(theirs, error):
            with contextlib.suppress(ModuleNotFoundError):
                return _plain_import(name, globals, locals, fromlist or (), 0)
        _tell_plainly(error)
        raise
    return module if fromlist else sys.modules[f"{SCRIPT}.{name.partition('.')[0]}"]


def _import_module(name: str, package: str | None = None) -> ModuleType:
    theirs = users_name(name, sys._getframe(1).f_globals)
    try:
        return _plain_import_module(theirs, package)
    except ModuleNotFoundError as error:
        if theirs != name and _is_missing(theirs, error):
            with contextlib.suppress(ModuleNotFoundError):
                return _plain_import_module(name, package)
        _tell_plainly(error)
        raise


def _is_missing(name: str, error: ModuleNotFoundError) -> bool:
    """Whether a module itself is not there, and not one that it imports. Then it may be a part of
    ours: the standard library imports on our behalf, too (importlib.resources)."""
    return f"{name}.".startswith(f"{error.name}.")


def _tell_plainly(error: ModuleNotFoundError) -> None:
    """The names in an error as they were written."""
    if str(error.name).startswith(f"{SCRIPT}."):
        error.name = str(error.name).removeprefix(f"{SCRIPT}.")
        error.args = tuple(str(arg).replace(f"{SCRIPT}.", "") for arg in error.args)
        error.msg = error.msg.replace(f"{SCRIPT}.", "")
