"""Running a user's Python with ``caffe`` installed as a name of ours."""

from __future__ import annotations

import code
import contextlib
import os
import runpy
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

from ir.errors import RoasteryError

from ..files.regular_file import check_regular
from ..files.special_output import is_pipe
from ..startup.working_folder import put_working_folder_back

ScriptKind = Literal["file", "module", "code", "console"]


@dataclass(frozen=True)
class Script:
    """What to run, as ``python``, ``python -m``, ``python -c`` or ``python`` alone would."""

    kind: ScriptKind
    source: str
    arguments: list[str]


def run_script(script: Script, settings: Mapping[str, str | None] | None = None) -> int:
    """Run it and return the exit code; an exception is shown with the script's own frames.

    Args:
        settings: environment variables for it; None: as they are.

    Raises RoasteryError for a script that is not there, SystemExit where the script does.
    """
    from runtime.python.permission import inside_script

    from ..caffe import install

    if script.kind == "file" and not Path(script.source).exists():
        raise RoasteryError(f"there is no script '{script.source}'")
    # A script may come through a pipe, as Python's own may: python <(echo ...).
    if script.kind == "file" and not Path(script.source).is_dir() and not is_pipe(script.source):
        check_regular(script.source)
    install()
    with _surroundings(script, settings or {}), inside_script():
        try:
            _execute(script)
        except Exception as error:
            sys.stdout.flush()
            traceback.print_exception(type(error), error, _own_frames(error.__traceback__))
            return 1
    return 0


def _execute(script: Script) -> None:
    if script.kind == "file":
        runpy.run_path(script.source, run_name="__main__")
    elif script.kind == "module":
        runpy.run_module(script.source, run_name="__main__", alter_sys=True)
    elif script.kind == "code":
        exec(compile(script.source, "<string>", "exec"), {"__name__": "__main__"})
    else:
        code.interact("`import caffe` is roastery.caffe", local={"__name__": "__main__"})


@contextlib.contextmanager
def _surroundings(script: Script, settings: Mapping[str, str | None]) -> Iterator[None]:
    """sys.argv and sys.path as Python itself sets them; ``settings`` in the environment."""
    names = {"file": script.source, "module": "-m", "code": "-c", "console": ""}
    folder = str(Path(script.source).resolve().parent) if script.kind == "file" else ""
    argv, path = sys.argv, list(sys.path)
    before = {name: os.environ.get(name) for name in settings}
    sys.argv = [names[script.kind], *script.arguments]
    put_working_folder_back()
    sys.path.insert(0, folder)
    os.environ.update({name: value for name, value in settings.items() if value is not None})
    try:
        yield
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


def _own_frames(trace: TracebackType | None) -> TracebackType | None:
    """A traceback from the first frame that is neither this file's nor runpy's."""
    skipped = (__file__, runpy.__file__, "<frozen runpy>")
    while trace is not None and trace.tb_frame.f_code.co_filename in skipped:
        trace = trace.tb_next
    return trace
