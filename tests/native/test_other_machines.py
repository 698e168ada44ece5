"""Programs for CPUs of another kind, run by qemu."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from compiler.c.compile.c_compiler import zig_compiler
from tests.support import c_kernels
from tests.support.native_programs import (
    CLASSIFIER,
    DETECTOR,
    answers,
    command,
    run_program,
    write_pictures,
)

pytestmark = [
    c_kernels.needs_compiler,
    pytest.mark.skipif(zig_compiler() is None, reason="there is no ziglang, which compiles for it"),
    pytest.mark.skipif(shutil.which("qemu-aarch64") is None, reason="there is no qemu-aarch64"),
]


FLAGS = ("--mean-value=100", "--input-scale=0.01")


@pytest.mark.parametrize("net", [CLASSIFIER, DETECTOR], ids=["classes", "objects"])
def test_aarch64(net: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = [name for names in write_pictures(tmp_path).values() for name in names]
    Path("net.prototxt").write_text(net)
    said = command("build", "net.prototxt", "--output", "there", "--cpu-baseline=aarch64", *FLAGS)
    assert said.startswith("wrote there: a program for aarch64, ")
    command("build", "net.prototxt", "--output", "here", *FLAGS)
    words = [*files, "--threshold=0.1"]
    there = run_program(tmp_path / "there", words, ["qemu-aarch64"])
    here = run_program(tmp_path / "here", words)
    assert (there.returncode, there.stderr) == (here.returncode, here.stderr) == (0, "")
    got, expected = answers(there.stdout), answers(here.stdout)
    assert list(got) == list(expected) == files
    for file in files:
        assert expected[file]
        for one, other in zip(got[file], expected[file], strict=True):
            assert one[1] == other[1]
            assert abs(one[0] - other[0]) < 3e-4
            assert one[2] == pytest.approx(other[2], abs=0.11)
    wrong = run_program(tmp_path / "there", ["net.prototxt"], ["qemu-aarch64"])
    assert wrong.returncode == 1 and "is no picture that can be read" in wrong.stderr
