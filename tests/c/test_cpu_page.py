"""docs/cpu.md shows what its commands print, and what is true."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from compiler.c.compile import store
from compiler.c.lanes import lanes_of
from compiler.instructions import INSTRUCTIONS
from compiler.plan_cache import plan_store
from roastery.api.cpu_baselines import baseline_target
from tests.support import c_kernels
from tests.support.shown_commands import DOCS, blocks, check_commands

PAGE = (DOCS / "cpu.md").read_text(encoding="utf-8")


@c_kernels.needs_compiler
def test_the_page_shows_what_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("digits.prototxt").write_text(blocks(PAGE, "prototxt")[0])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    page = PAGE.replace("C compiler:                    ...", "C compiler: ...\n...")
    assert check_commands(page, capsys) == 6
    names: dict[str, np.ndarray] = {}
    exec(blocks(PAGE, "python")[0], names)
    np.testing.assert_allclose(names["prob"], np.full((1, 10), 0.1), rtol=1e-5)


def test_its_table_is_that_of_the_instructions() -> None:
    rows = re.findall(r"^\| (`x86.*?|`aarch.*?) \| (.*?) \| (\d+)", PAGE, re.MULTILINE)
    told = {name: (people, int(n)) for names, people, n in rows for name in names.split(", ")}
    assert told.keys() == {f"`{known.name}`" for known in INSTRUCTIONS}
    for known in INSTRUCTIONS:
        people, lanes = told[f"`{known.name}`"]
        assert known.vectors.startswith(people)
        assert lanes_of(baseline_target(known.name)) == lanes


def test_its_sizes_are_those_of_the_caches() -> None:
    code, plans = re.findall(r"(\d+) MiB of (?:machine code|plans)", PAGE)
    assert (int(code) << 20, int(plans) << 20) == (store.MOST_BYTES, plan_store.MOST_BYTES)
