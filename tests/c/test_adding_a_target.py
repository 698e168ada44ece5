"""docs/adding-a-target.md quotes files as they are, and shows what its example prints."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding-a-target.md").read_text(encoding="utf-8")
QUOTED = re.compile(r"^`([\w/.]+)`:\n\n```python\n(.*?)\n```", re.DOTALL | re.MULTILINE)


def test_it_quotes_files() -> None:
    found = QUOTED.findall(PAGE)
    assert len(found) == 5
    for path, text in found:
        assert text in (ROOT / path).read_text(encoding="utf-8"), path


def test_the_files_and_folders_that_it_names_are_there() -> None:
    names = re.findall(r"`((?:compiler|runtime|ir|tests|roastery)/[\w/.]+)`", PAGE)
    assert len(names) > 20
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_its_example_prints_what_it_shows() -> None:
    (example,) = re.findall(r"```python\n(from .*?)```", QUOTED.sub("", PAGE), re.DOTALL)
    (shown,) = re.findall(r"```c\n(.*?)```", PAGE, re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(example, "adding-a-target.md", "exec"), {})
    assert printed.getvalue().rstrip().endswith(shown.rstrip())
    assert printed.getvalue().startswith("/* norm: a kernel made by Roastery.")
