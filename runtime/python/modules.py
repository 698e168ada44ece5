"""Which modules a net may import for its Python layers, and importing them.

A prototxt names a module, and importing it runs it. So a net from elsewhere imports only what the
user chose: everything where ``allowed``; otherwise what is installed or on PYTHONPATH, as in Caffe,
or has been imported by the program already, and of those only classes of layers.
"""

from __future__ import annotations

import ast
import importlib
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from ir.errors import RoasteryError
from ir.location import Location

from .module_search import (
    OFFERED,
    find_file,
    find_installed,
    is_pythons_own,
    only_installed,
    working_folder,
)

OWN_PACKAGES = ("ir", "frontends", "compiler", "runtime", "roastery", "caffe")

HOW_TO_ALLOW = (
    "if you trust that file, allow it: --python-layers, ROASTERY_PYTHON_LAYERS=1, or "
    "allow_python=True in Python"
)


class PythonModuleError(RoasteryError):
    """A layer's module cannot be had."""


class MissingModuleError(PythonModuleError, ModuleNotFoundError):
    """It is not there: Python's own error, with the place."""


class NotAllowedError(PythonModuleError):
    """A layer's module is there, and importing it has not been allowed."""


def user_module(
    name: str, where: Location, allowed: bool, prepare: Callable[[], None]
) -> ModuleType:
    """The module of a Python layer, imported if it may be.

    Args:
        where: the layer names it; modules beside that file are found.
        allowed: whether the user allows modules from there and from the working directory.
        prepare: called before the import.

    Raises :class:`PythonModuleError` for a module that is not there or may not be imported;
    whatever the module raises itself goes to the caller.
    """
    folders = _folders(where)
    name = _of_script(name, folders, allowed)
    _check_name(name, where, folders, allowed)
    prepare()
    loaded = sys.modules.get(name)
    if loaded is not None:
        return loaded
    if allowed:
        OFFERED.offer(folders)
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise
            raise _missing(name, where, folders) from error
    # A package's program runs when it is imported; no layers are in it.
    if find_installed(name) is not None and not name.endswith("__main__"):
        with only_installed():
            return importlib.import_module(name)
    file = find_file(name, [*sys.path, *folders])
    if file is None:
        raise _missing(name, where, folders)
    raise NotAllowedError(
        f"this layer runs Python code, which is not allowed for this net: module '{name}' would "
        f"be imported from {file}",
        location=where,
        hint=HOW_TO_ALLOW,
    )


def importable(name: str, where: Location, allowed: bool) -> str | None:
    """The file of the module that :func:`user_module` would give; None where it would refuse."""
    try:
        name = _of_script(name, _folders(where), allowed)
        _check_name(name, where, _folders(where), allowed)
    except PythonModuleError:
        return None
    loaded = sys.modules.get(name)
    if loaded is not None:
        return getattr(loaded, "__file__", None) or name
    if allowed:
        return find_file(name, [*sys.path, *_folders(where)])
    return None if name.endswith("__main__") else find_installed(name)


def why_unreadable(file: str) -> str:
    """Why this Python cannot read a module's file, which is not run; empty where it can."""
    if not file.endswith(".py"):
        return ""
    for finder in sys.meta_path:  # one that rewrites what it imports can read more
        judge = getattr(finder, "why_unreadable", None)
        if judge is not None:
            return str(judge(file))
    try:
        text = Path(file).read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text, file)
    except SyntaxError as error:
        return f"is not Python 3 (line {error.lineno}: {error.msg})"
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        return f"cannot be read ({error})"
    return ""


def is_layer_class(value: Any, base: type) -> bool:
    """Whether calling ``value`` only makes a user's layer: a class that derives from ``base``."""
    return isinstance(value, type) and issubclass(value, base)


def _folders(place: Location) -> list[str]:
    """The working directory and the prototxt's own."""
    here = working_folder()
    folders = [here] if here else []
    if place.file and (here or os.path.isabs(place.file)):
        folders.append(str(Path(place.file).resolve().parent))
    return list(dict.fromkeys(folders))


def _of_script(name: str, folders: list[str], allowed: bool) -> str:
    """What a module is called that has the name of one of ours, under `roastery python`.

    The script's imports tell both apart, and what does that is at hand there.
    """
    script = sys.modules.get("__script__")
    if script is None or not allowed or name.partition(".")[0] not in OWN_PACKAGES:
        return name
    OFFERED.offer(folders)
    found: str = script.users_name(name)
    return found


def _check_name(name: str, where: Location, folders: list[str], allowed: bool) -> None:
    """Refuse what is no module's name, and modules that hold no layers of users."""
    if not all(part and part.isprintable() and os.sep not in part for part in name.split(".")):
        raise PythonModuleError(
            f"'{name}' is not the name of a Python module",
            location=where,
            hint="a name such as my_layers or package.my_layers, without .py",
        )
    if name == "__main__":
        return
    owner = ""
    if name.partition(".")[0] in OWN_PACKAGES:
        owner = "Roastery"
    elif is_pythons_own(_reached(name, allowed), name):
        owner = "Python"
    if owner:
        hidden = find_file(name, folders)
        raise PythonModuleError(
            f"module '{name}' is a part of {owner} itself, which holds no layers of users",
            location=where,
            hint=f"{hidden} is not reached under this name: rename it" if hidden else None,
        )


def _reached(name: str, allowed: bool) -> str | None:
    """The file of the module that an import would give."""
    loaded = sys.modules.get(name)
    if loaded is not None:
        return getattr(loaded, "__file__", None)
    return (allowed and find_file(name, sys.path)) or find_installed(name)


def _missing(name: str, where: Location, folders: list[str]) -> MissingModuleError:
    return MissingModuleError(
        f"there is no Python module '{name}'",
        location=where,
        hint=f"looked in {', '.join(folders)} and on PYTHONPATH",
    )
