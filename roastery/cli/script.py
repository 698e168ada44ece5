"""Running a user's Python with ``caffe`` installed as a name of ours."""

from __future__ import annotations

import code
import contextlib
import os
import runpy
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Literal

from ..files.missing import missing
from ..files.regular_file import check_regular
from ..files.special_output import is_pipe
from ..python2.hints import say_python2
from ..startup import own_names
from ..startup.for_children import environment_for_children
from ..startup.working_folder import put_working_folder_back
from .own_frames import show_own_frames

if TYPE_CHECKING:
    from ..python2.report import Report

ScriptKind = Literal["file", "module", "code", "input", "console"]
#: What code that is in no file is called in tracebacks.
_CALLED = {"code": "<string>", "input": "<stdin>"}


@dataclass(frozen=True)
class Script:
    """What to run, as ``python``, ``python -m``, ``python -c`` or ``python`` alone would.

    ``source`` is the code itself where the kind is "code", or "input": from standard input.
    """

    kind: ScriptKind
    source: str
    arguments: list[str]


def run_script(
    script: Script,
    settings: Mapping[str, str | None] | None = None,
    *,
    python2: str | None = None,
) -> int:
    """Run it and return the exit code; an exception is shown with the script's own frames.

    Args:
        settings: environment variables for it; None: as they are.
        python2: it is Python 2, and this is the file that gets what is changed of it (empty: none,
            ``-``: standard error); None: it is not.

    Raises RoasteryError for a script that is not there, SystemExit where the script does.
    """
    from runtime.python.permission import inside_script

    from ..caffe import install

    if script.kind == "file" and not Path(script.source).exists():
        raise missing("script", script.source)
    # A script may come through a pipe, as Python's own may: python <(echo ...).
    if script.kind == "file" and not Path(script.source).is_dir() and not is_pipe(script.source):
        check_regular(script.source)
    install()
    settings = {**(settings or {}), **environment_for_children()}
    with (
        _surroundings(script, settings) as folder,
        own_names.told_apart(),
        _language(python2, folder) as report,
        inside_script(),
    ):
        try:
            if report is None:
                _execute(script)
            else:
                _execute_python2(script, report)
        except Exception as error:
            sys.stdout.flush()
            show_own_frames(error)
            if python2 is None:
                say_python2(error)
            return 1
    return 0


def _language(python2: str | None, folder: str) -> AbstractContextManager[Report | None]:
    """Python 2, or nothing to do."""
    if python2 is None:
        return contextlib.nullcontext()
    from ..python2 import mode

    return mode.python2(python2, folder)


def _execute_python2(script: Script, report: Report) -> None:
    from ..notebooks.printed import print_notebook
    from ..notebooks.session import CellSession
    from ..python2.console import interact
    from ..python2.running import code_of_line, names_of_main, tree_of_cell

    if _is_notebook(script):
        print_notebook(Path(script.source), CellSession(tree_of_cell, names_of_main()))
    elif script.kind in _CALLED:
        with _as_main() as names:
            names.update(names_of_main())
            exec(code_of_line(script.source, report, _CALLED[script.kind]), names)
    elif script.kind == "console":
        interact("`import caffe` is roastery.caffe; this is Python 2", names_of_main())
    else:
        _execute(script)


def _is_notebook(script: Script) -> bool:
    return script.kind == "file" and script.source.endswith(".ipynb")


def _execute(script: Script) -> None:
    if _is_notebook(script):
        from ..notebooks.printed import print_notebook
        from ..notebooks.session import CellSession

        print_notebook(Path(script.source), CellSession())
    elif script.kind == "file":
        runpy.run_path(script.source, run_name="__main__")
    elif script.kind == "module":
        module = own_names.users_name(script.source)
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    elif script.kind in _CALLED:
        source = script.source.encode("utf-8", "surrogateescape")
        with _as_main() as names:
            exec(compile(source, _CALLED[script.kind], "exec", dont_inherit=True), names)
    else:
        with _as_main() as names:
            code.interact("`import caffe` is roastery.caffe", local=names)


@contextlib.contextmanager
def _as_main() -> Iterator[dict[str, object]]:
    """The names of a new module ``__main__``, which pickle and ``import __main__`` find."""
    before, module = sys.modules["__main__"], ModuleType("__main__")
    sys.modules["__main__"] = module
    try:
        yield vars(module)
    finally:
        sys.modules["__main__"] = before


@contextlib.contextmanager
def _surroundings(script: Script, settings: Mapping[str, str | None]) -> Iterator[str]:
    """sys.argv and sys.path as Python itself sets them; ``settings`` in the environment.

    Gives the folder of the script's own modules.
    """
    names = {"file": script.source, "module": "-m", "code": "-c", "input": "-", "console": ""}
    folder = str(Path(script.source).resolve().parent) if script.kind == "file" else ""
    argv, path = sys.argv, list(sys.path)
    before = {name: os.environ.get(name) for name in settings}
    sys.argv = [names[script.kind], *script.arguments]
    put_working_folder_back()
    sys.path.insert(0, folder)
    os.environ.update({name: value for name, value in settings.items() if value is not None})
    try:
        yield folder
    finally:
        sys.argv = argv
        sys.path[:] = path
        for name, value in before.items():
            if settings[name] is None:
                continue
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
