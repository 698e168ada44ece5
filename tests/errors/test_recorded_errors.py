"""Bad inputs that were recorded with Caffe: what roastery says to them.

``tests/data/errors/expected.toml`` has one entry per folder of ``tests/data/errors/cases``. Where
Caffe aborts, lets the mistake pass or blames the wrong thing, there is one error here, which
names the place and the cause, and no file is written.
"""

from __future__ import annotations

import re
import shlex
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from roastery.cli.main import main

FOLDER = Path(__file__).parents[1] / "data" / "errors"
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads((FOLDER / "expected.toml").read_text())

#: What a run that goes on says about what Caffe refuses.
NOTES = {
    "gpu_mode_on_cpu_build": r"W.*solver_mode is GPU, but there is none \(.*: training on the CPU",
    "snapshot_prefix_folder_missing": r"I.*made the directory 'no/such/folder' for snapshots",
    "weights_h5_named_wrong": r"Loss: [\d.]+",
}


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_case_has_an_entry() -> None:
    assert {path.name for path in (FOLDER / "cases").iterdir()} <= set(EXPECTED)
    assert len(EXPECTED) == 117


@pytest.mark.parametrize("name", EXPECTED)
def test_case(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    expected = EXPECTED[name]
    folder = tmp_path / "case"
    source = FOLDER / "cases" / name
    if source.exists():  # some need no file
        shutil.copytree(source, folder)
    else:
        folder.mkdir()
    before = files(folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("ROASTERY_DEVICE", raising=False)
    for module in ("devices.backends", "training.solvers"):
        monkeypatch.setattr(f"roastery.{module}.cuda_missing", lambda: "none in this test")

    code = main(shlex.split(expected["command"]))

    error = capsys.readouterr().err
    assert code == expected.get("exit", 1), error
    after = files(folder)
    assert sorted(set(after) - set(before)) == expected.get("writes", [])
    assert {path: after.get(path) for path in before} == before
    assert "Traceback" not in error
    assert "check failed" not in error.lower()
    said = re.findall(r"^error: (.*)$", error, re.MULTILINE)
    assert said == ([expected["error"]] if "error" in expected else [])
    if name in NOTES:
        assert len(re.findall(NOTES[name], error)) == 1
