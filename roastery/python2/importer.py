"""Imports of a script's own modules: their source is rewritten on the way."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from .names.builtins import python2_builtins
from .rewrite.compiled import compile_converted
from .rewrite.converter import Converted
from .rewrite.store import converted_source

WhenConverted = Callable[[str, str, Converted], None]

_HOME = Path(__file__).resolve().parents[2]
_OWN = ("ir", "compiler", "runtime", "frontends", "roastery")
_INSTALLED = {"site-packages", "dist-packages"}


class Python2Loader(SourceFileLoader):
    """Runs a module with Python 2's builtins; a module in Python 3 as ever."""

    def __init__(self, fullname: str, path: str, told: WhenConverted) -> None:
        super().__init__(fullname, path)
        self._told = told
        self.python3 = False

    def get_code(self, fullname: str) -> CodeType:
        code, self.python3 = python2_code(self.path, self.get_data(self.path), self._told)
        return code

    def exec_module(self, module: ModuleType) -> None:
        code = self.get_code(module.__name__)
        if not self.python3:
            vars(module)["__builtins__"] = python2_builtins()
        exec(code, vars(module))


def python2_code(path: str, data: bytes, told: WhenConverted) -> tuple[CodeType, bool]:
    """A file's code, and whether it is Python 3. Raises SyntaxError."""
    before, converted = converted_source(data, path)
    told(path, before, converted)
    return compile_converted(converted, before, path), converted.python3


class Python2Finder(MetaPathFinder):
    """Finds modules that are the user's own: in the script's folder and in those that were not on
    Python's path when it began, but not in those of installed packages."""

    def __init__(self, told: WhenConverted) -> None:
        self._told = told
        self._before = {_real(entry) for entry in sys.path if entry} - set(_chosen())

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader or spec.origin is None:
            return None
        if not self._is_users(fullname, spec.origin):
            return None
        spec.loader = Python2Loader(fullname, spec.origin, self._told)
        return spec

    def why_unreadable(self, file: str) -> str:
        """Why a file is neither Python 2 nor 3; empty where it can be imported."""
        try:
            python2_code(file, Path(file).read_bytes(), lambda *told: None)
        except SyntaxError as error:
            return f"is not Python (line {error.lineno}: {error.msg})"
        except (OSError, ValueError, RecursionError, MemoryError) as error:
            return f"cannot be read ({error})"
        return ""

    def own(self, folder: str) -> None:
        """Modules of this folder are the user's, though it was on the path."""
        self._before.discard(_real(folder))

    def _is_users(self, fullname: str, origin: str) -> bool:
        parent = sys.modules.get(fullname.rpartition(".")[0])
        if parent is not None and isinstance(
            getattr(parent.__spec__, "loader", None), Python2Loader
        ):
            return True
        place = Path(_real(origin))
        if _INSTALLED & set(place.parts) or _below(place, _library()):
            return False
        if any(place.is_relative_to(_HOME / name) for name in _OWN):
            return False
        levels = fullname.count(".") + (place.name == "__init__.py")
        return str(place.parents[levels]) not in self._before


def _real(entry: str) -> str:
    return os.path.realpath(entry)


def _library() -> list[Path]:
    return [Path(_real(sysconfig.get_path(name))) for name in ("stdlib", "platstdlib")]


def _below(place: Path, folders: Sequence[Path]) -> bool:
    return any(place.is_relative_to(folder) for folder in folders)


def _chosen() -> list[str]:
    """The folders of PYTHONPATH: a user's own."""
    entries = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return [_real(entry) for entry in entries if entry]
