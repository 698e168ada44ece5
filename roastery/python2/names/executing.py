"""``exec``, ``eval`` and ``execfile``: source that is made at run time is Python 2, too."""

from __future__ import annotations

import ctypes
import sys
from types import CodeType, FrameType
from typing import Any

from ..rewrite.compiled import CodeKind, compile_converted
from ..rewrite.converter import convert
from ..rewrite.source import source_text
from ..rewrite.store import converted_source
from .room import BUILTINS, tell

_OPTIMIZED = 1  # of a code's flags: a function's, whose names are no dictionary


def code_of(source: Any, filename: str, kind: CodeKind = "exec") -> CodeType:
    """Compile text of Python 2, or give code back as it is."""
    if isinstance(source, CodeType):
        return source
    if hasattr(source, "read"):
        source = source.read()
    data = bytes(source) if isinstance(source, bytes | bytearray | memoryview) else source.encode()
    text = source_text(data)
    if kind == "eval":
        text = text.strip() + "\n"
    return compile_converted(convert(text, filename, always=True), text, filename, kind)


def _with_builtins(names: Any) -> Any:
    names.setdefault("__builtins__", BUILTINS)
    return names


def _scope(given: tuple[Any, ...], frame: FrameType) -> tuple[Any, Any]:
    """Globals and locals: those that are given, else the caller's."""
    names, local = (*given, None, None)[:2]
    if names is None:
        names, local = frame.f_globals, frame.f_locals if local is None else local
    return _with_builtins(names), names if local is None else local


def exec_(source: Any, *given: Any) -> None:
    """``exec source in globals, locals``."""
    if isinstance(source, tuple) and not given:  # exec(source, globals), as a statement
        source, *rest = source
        given = tuple(rest)
    frame = sys._getframe(1)
    names, local = _scope(given, frame)
    exec(code_of(source, "<string>"), names, local)
    if not any(value is not None for value in given):
        _keep(frame, local)


def _keep(frame: FrameType, local: Any) -> None:
    """What code has defined in a function that executes it: its variables, else global names."""
    if not frame.f_code.co_flags & _OPTIMIZED:
        return
    known = {*frame.f_code.co_varnames, *frame.f_code.co_cellvars, *frame.f_code.co_freevars}
    for name in set(local) - known:
        if name in frame.f_code.co_names:
            frame.f_globals[name] = local[name]
    if sys.version_info < (3, 13):
        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))


def eval_(source: Any, *given: Any) -> Any:
    """``eval(source, globals, locals)``."""
    names, local = _scope(given, sys._getframe(1))
    return eval(code_of(source, "<string>", "eval"), names, local)


def compile_(
    source: Any,
    filename: Any,
    mode: Any,
    flags: Any = 0,
    dont_inherit: Any = False,
    optimize: Any = -1,
) -> Any:
    """``compile`` of text of Python 2; of a tree, or with flags that ask for one, Python 3's."""
    if flags or not isinstance(source, str | bytes | bytearray):
        return compile(source, filename, mode, flags, dont_inherit, optimize)
    return code_of(source, str(filename), mode)


def execfile(name: Any, *given: Any) -> None:
    """Run a file's code in the caller's names."""
    names, local = _scope(given, sys._getframe(1))
    run_in(str(name), names, local)


def run_in(path: str, names: dict[str, Any], local: Any = None) -> None:
    """Run a file's code in names: Python 2's with its builtins, Python 3's as it is."""
    with open(path, "rb") as stream:
        data = stream.read()
    text, converted = converted_source(data, path)
    tell(path, text, converted)
    if not converted.python3:
        _with_builtins(names)
    exec(compile_converted(converted, text, path), names, names if local is None else local)
