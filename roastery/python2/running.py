"""Running a file or module of Python 2 as ``__main__``, also in children of multiprocessing."""

from __future__ import annotations

import os
import runpy
import sys
import warnings
from importlib.util import find_spec
from types import CodeType, ModuleType
from typing import Any

from .importer import Python2Loader, WhenConverted, python2_code
from .names.builtins import python2_builtins
from .rewrite.compiled import compile_converted, tree_of
from .rewrite.converter import convert
from .rewrite.source import source_text

_run_path, _run_module = runpy.run_path, runpy.run_module


def take_over_runpy(told: WhenConverted) -> None:
    """``runpy.run_path`` and ``run_module`` rewrite, too: children of multiprocessing use them."""

    def run_path(path: Any, init_globals: Any = None, run_name: Any = None) -> Any:
        name = os.fsdecode(path)
        if os.path.isdir(name) or name.endswith((".zip", ".pyz", ".pyc", ".egg")):
            return _run_path(path, init_globals, run_name)
        return run_file(name, run_name or "<run_path>", told, init_globals)

    def run_module(
        mod_name: str, init_globals: Any = None, run_name: Any = None, alter_sys: bool = False
    ) -> Any:
        if is_python2_module(mod_name):
            init_globals = {**(init_globals or {}), "__builtins__": python2_builtins()}
        return _run_module(mod_name, init_globals, run_name, alter_sys)

    taken: Any = runpy
    taken.run_path, taken.run_module = run_path, run_module


def give_runpy_back() -> None:
    runpy.run_path, runpy.run_module = _run_path, _run_module


def is_python2_module(name: str) -> bool:
    """Whether a module, or a package's ``__main__``, is the user's and in Python 2."""
    try:
        spec = find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = find_spec(f"{name}.__main__")
    except (ImportError, ValueError):
        return False
    loader = None if spec is None else spec.loader
    if not isinstance(loader, Python2Loader):
        return False
    try:
        loader.get_code(loader.name)
    except SyntaxError:
        return True
    return not loader.python3


def run_file(
    path: str, run_name: str, told: WhenConverted, init_globals: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Run a file's code as the module ``run_name``; its names afterwards."""
    with open(path, "rb") as stream:
        data = stream.read()
    code, python3 = python2_code(path, data, told)
    module = ModuleType(run_name)
    names = vars(module)
    names.update(init_globals or {}, __file__=path, __package__="", __spec__=None, __cached__=None)
    if not python3:
        names["__builtins__"] = python2_builtins()
    before = sys.modules.get(run_name)
    sys.modules[run_name] = module
    try:
        exec(code, names)
        return names.copy()
    finally:
        if before is None:
            sys.modules.pop(run_name, None)
        else:
            sys.modules[run_name] = before


def names_of_main() -> dict[str, Any]:
    """Globals for code that is neither a file nor a module."""
    return {"__name__": "__main__", "__builtins__": python2_builtins()}


def tree_of_cell(source: str, filename: str) -> Any:
    """The tree of a notebook's cell."""
    text = source_text(source.encode("utf-8", "surrogateescape"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        return tree_of(convert(text, filename, always=True), text, filename)


def code_of_line(source: str, told: WhenConverted, name: str = "<string>") -> CodeType:
    """The code of ``-c``, or of standard input."""
    text = source_text(source.encode("utf-8", "surrogateescape"))
    converted = convert(text, name)
    told(name, text, converted)
    return compile_converted(converted, text, name)
