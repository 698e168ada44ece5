"""``roastery matlab``: what it prints, builds and copies, and what it says when it cannot."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from ir.errors import RoasteryError
from roastery.cli.main import main
from roastery.matlab import mex_file
from roastery.matlab.libpython import python_places
from roastery.matlab.mex_file import HOME, MexCompiler, build_mex, copy_interface, mex_compilers


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_it_tells_the_path(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["matlab"]) == 0
    said = capsys.readouterr().out
    assert (
        f"addpath('{HOME}', '{HOME}/hdf5creation')" in said and "--build" in said
    ) or "MEX files there" in said


def test_a_mex_of_matlab_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a program that stands for it: named -output and the source, beside its mexext."""
    mex = program(tmp_path / "bin" / "mex", 'echo "$*" > "$2"')
    program(tmp_path / "bin" / "mexext", "echo mexa64")
    monkeypatch.setenv("PATH", str(mex.parent))
    (found,) = mex_compilers()
    assert (found.language, found.suffix, found.program) == ("MATLAB", "mexa64", str(mex))
    home = tmp_path / "it"
    copy_interface(home)
    made = build_mex(found, home)
    assert made == home / "caffe_.mexa64"
    assert made.read_text().split()[2:] == [
        str(HOME / "+caffe/+internal/caffe_.c"), "-ldl", "-lpthread",
    ]  # fmt: skip
    assert len((made.parent / "caffe_.python").read_text().splitlines()) == 4
    made.unlink()
    assert mex_file.built_for(home) == []


def test_tex_s_mex_is_not_matlab_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mex = program(tmp_path / "mex", "exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert mex_compilers() == []
    with pytest.raises(RoasteryError, match="neither Octave's mkoctfile nor MATLAB's mex"):
        mex_compilers(str(mex))


def test_without_a_compiler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["matlab", "--build", f"--output={tmp_path / 'x'}"]) == 1
    assert "neither mkoctfile nor MATLAB's mex" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
    assert main(["matlab"]) == 0 and "needs mkoctfile or mex" in capsys.readouterr().out


def test_nothing_is_copied_for_what_does_not_compile(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = program(tmp_path / "mkoctfile", "exit 3")
    assert main(["matlab", "--build", f"--compiler={broken}", f"--output={tmp_path / 'it'}"]) == 1
    assert "exit code 3" in capsys.readouterr().err
    assert not (tmp_path / "it").exists()


def test_what_does_not_compile(tmp_path: Path) -> None:
    compiler = MexCompiler(str(program(tmp_path / "mkoctfile", "echo broken >&2; exit 3")),
                           "Octave", "mex")  # fmt: skip
    copy_interface(tmp_path / "it")
    with pytest.raises(RoasteryError, match=r"exit code 3\)\n  broken|exit code 3\)\nbroken"):
        build_mex(compiler, tmp_path / "it")
    assert not list((tmp_path / "it").rglob("caffe_.mex*"))
    assert not list((tmp_path / "it").rglob("caffe_.python"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    copy_interface(tmp_path / "it")
    (tmp_path / "it").chmod(stat.S_IREAD | stat.S_IEXEC)
    with pytest.raises(RoasteryError, match="cannot be written"):
        build_mex(MexCompiler("mkoctfile", "Octave", "mex"), tmp_path / "it")


def test_a_copy_replaces_an_older_one(tmp_path: Path) -> None:
    old = tmp_path / "it" / "+caffe" / "old.m"
    old.parent.mkdir(parents=True)
    old.write_text("old")
    copy_interface(tmp_path / "it")
    assert not old.exists() and (tmp_path / "it/hdf5creation/store2hdf5.m").is_file()
    names = {path.name for path in (tmp_path / "it").rglob("*")}
    assert "caffe_.c" in names and "caffe_.python" not in names


def test_the_places_of_this_python(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        places = python_places()
    except RoasteryError as error:
        assert "has no shared library" in str(error)
        return
    assert all(Path(place).exists() for place in places.lines().splitlines())
    assert main(["matlab", "--places"]) == 0
    assert capsys.readouterr().out == places.lines()


def test_flags_that_go_with_build(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["matlab", "--output=x"]) == 1
    assert "--output goes with --build" in capsys.readouterr().err


def test_octave_builds_where_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which("mkoctfile") is None:
        pytest.skip("Octave (mkoctfile) is not installed")
    assert main(["matlab", "--build", "--compiler=mkoctfile", f"--output={tmp_path}"]) == 0
    said = capsys.readouterr().out
    assert f"addpath('{tmp_path}', '{tmp_path}/hdf5creation')" in said and "for Octave" in said
    assert (tmp_path / "caffe_.mex").stat().st_size > 1000
