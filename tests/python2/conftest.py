"""Runs text of Python 2 in this process, and gives what it prints."""

from __future__ import annotations

import contextlib
import io
import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

pytest.importorskip("fissix", reason="the extra py2 is not installed")

Run = Callable[..., str]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROASTERY_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def python2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """``python2(text, **modules)`` runs a script beside modules of these names."""
    from roastery.python2.mode import python2 as mode

    folder = tmp_path / "script"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    before = set(sys.modules)

    def run(text: str, **modules: str) -> str:
        for name, source in modules.items():
            path = folder / (name.replace("__slash__", "/") + ".py")
            path.parent.mkdir(exist_ok=True)
            path.write_text(dedent(source))
        (folder / "main.py").write_text(dedent(text))
        printed = io.StringIO()
        with mode("", str(folder)), contextlib.redirect_stdout(printed):
            runpy.run_path(str(folder / "main.py"), run_name="__main__")
        return printed.getvalue()

    yield run
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
