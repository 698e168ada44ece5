"""``roastery build``: programs that say of pictures what ``roastery run`` says."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ir.errors import RoasteryError
from roastery.api.build import build_executable
from roastery.cli.main import main
from roastery.devices import compiling
from tests.support import c_kernels, sample_nets
from tests.support.exported_c import SANITIZED, STRICT, built
from tests.support.native_programs import (
    CLASSIFIER,
    DETECTOR,
    answers,
    command,
    run_program,
    write_pictures,
)

pytestmark = c_kernels.needs_compiler

LABELS = 'cat\ndog "x"\n\nbird\\n\nVögel\n'
FLAGS = (
    "--labels=labels.txt",
    "--mean-value=104,117,123",
    "--images-dim=27,24",
    "--input-scale=0.017",
)


def made(folder: Path, net: str, *flags: str) -> Path:
    """A program beside an artifact of the same net, and pictures."""
    (folder / "net.prototxt").write_text(net)
    (folder / "labels.txt").write_text(LABELS, encoding="utf-8")
    weights = folder / "net.prototxt"
    command("export", weights, "--output", folder / "net.roast", *flags)
    said = command("build", weights, "--output", folder / "classify", *flags)
    assert said.startswith(f"wrote {folder / 'classify'}: a program for ")
    return folder / "classify"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[str]]]:
    folder = tmp_path_factory.mktemp("native")
    return folder, write_pictures(folder)


@pytest.fixture(scope="module")
def classifier(pictures: tuple[Path, dict[str, list[str]]]) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(pictures[0])
        return made(pictures[0], CLASSIFIER, *FLAGS)


def same(program: Path, files: Sequence[str], score: float, edge: float, *flags: str) -> None:
    """Its answers are those of the artifact beside it, but for roundings as large as these."""
    done = run_program(program, [*files, *flags])
    assert (done.returncode, done.stderr) == (0, "")
    got, expected = answers(done.stdout), answers(command("run", "net.roast", *files, *flags))
    assert list(got) == list(expected) == list(files)
    for file in files:
        assert expected[file]
        if edge == 0 or score < 1e-3:
            assert [name for _, name, _ in got[file]] == [name for _, name, _ in expected[file]]
        assert abs(got[file][0][0] - expected[file][0][0]) <= score
        for one, other in zip(got[file], expected[file], strict=True):
            assert abs(one[0] - other[0]) <= score, file
            if score < 1e-3:
                np.testing.assert_allclose(one[2], other[2], rtol=1e-5, atol=edge)


def test_classes(
    classifier: Path,
    pictures: tuple[Path, dict[str, list[str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(classifier.parent)
    same(classifier, pictures[1]["exactly"], 1.1e-4, 0, "--top=7")
    same(classifier, pictures[1]["nearly"], 0.02, 0, "--top=3")
    for threads in ("1", "2"):
        same(classifier, ["color.png"], 1.1e-4, 0, "--threads", threads)


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_an_exported_folder(
    classifier: Path,
    pictures: tuple[Path, dict[str, list[str]]],
    compiler: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is compiled is what ``export`` writes, and both compilers take it without a word."""
    if shutil.which(compiler) is None:
        pytest.skip(f"there is no {compiler}")
    monkeypatch.chdir(classifier.parent)
    folder = tmp_path / "c"
    command("export", "net.prototxt", "--target=c", "--output", folder, *FLAGS)
    built(folder, compiler, SANITIZED if compiler == "gcc" else f"{STRICT} -O1")
    files = [str(classifier.parent / name) for name in pictures[1]["exactly"]]
    done = run_program(folder / "net", files)
    assert (done.returncode, done.stderr) == (0, "")
    got, expected = answers(done.stdout), answers(run_program(classifier, files).stdout)
    assert list(got) == files
    for file in files:
        assert [line[1] for line in got[file]] == [line[1] for line in expected[file]]
        assert abs(got[file][0][0] - expected[file][0][0]) < 1.1e-4


def test_arrays_become_inputs_as_they_are(
    classifier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(classifier.parent)
    np.save("x.npy", np.random.default_rng(0).standard_normal((1, 3, 20, 16)).astype(np.float32))
    command("run", "net.roast", "--input=x.npy", "--output=y.npz")
    done = run_program(classifier, ["x.npy", "--output=out"])
    assert (done.returncode, done.stdout, done.stderr) == (0, "wrote out/prob.npy\n", "")
    np.testing.assert_allclose(np.load("out/prob.npy"), np.load("y.npz")["prob"], rtol=1e-5)


def test_it_teaches(classifier: Path) -> None:
    done = run_program(classifier, ["--help"])
    assert done.returncode == 0 and done.stderr == ""
    assert (
        "usage: ./classify [--top N] [--threshold X] [--threads N] PICTURE|FOLDER ..."
        in done.stdout
    )
    assert "input data: float32 [1, 3, 20, 16]" in done.stdout
    (classifier.parent / "empty").mkdir()
    for words, message in (
        ([], "name a picture; ./classify --help explains"),
        (["none.png"], "none.png: No such file"),
        (["empty"], "empty: is a folder without pictures"),
        (["net.prototxt"], "net.prototxt: is no picture that can be read (unknown image type): "),
        (["--top=0", "color.png"], "--top is '0': a whole number from 1 to"),
        (["--threshold=x", "color.png"], "--threshold is 'x': a number is wanted"),
        (["color.png", "x.npy"], "color.png, x.npy: pictures are one way to run it, arrays"),
        (["color.png", "--output=out"], "--output is for arrays"),
    ):
        done = run_program(classifier, words)
        assert done.returncode == 1 and done.stdout == ""
        assert done.stderr.startswith("classify: ") and message in done.stderr
        assert done.stderr.count("\n") == 1


def test_that_it_compiles_is_told(
    classifier: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(classifier.parent)
    monkeypatch.setattr(compiling, "PATIENCE", 0.0)
    assert main(["build", "net.prototxt", "--output=again"]) == 0
    assert "note: compiling the program, " in capsys.readouterr().err


def test_folders(
    classifier: Path,
    pictures: tuple[Path, dict[str, list[str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(classifier.parent)
    folder = Path("inside")
    folder.mkdir()
    for number, name in enumerate(("color.png", "gray.png", "color.gif", "color.bmp")):
        shutil.copy(name, folder / f"{'bdac'[number]}{Path(name).suffix.upper()}")
    shutil.copy("net.prototxt", folder)
    done = run_program(classifier, ["inside/", "color.png", "--top=1"])
    assert (done.returncode, done.stderr) == (0, "")
    assert list(answers(done.stdout)) == [
        *(f"inside/{name}" for name in ("a.GIF", "b.PNG", "c.BMP", "d.PNG")),
        "color.png",
    ]
    said = answers(command("run", "net.roast", "inside", "color.png", "--top=1"))
    assert list(said) == list(answers(done.stdout))
    (folder / "c0.png").write_bytes(b"no picture")
    again = run_program(classifier, ["inside/", "color.png", "--top=1"])
    assert (again.returncode, again.stdout) == (1, done.stdout)
    assert again.stderr.startswith("classify: inside/c0.png: is no picture that can be read")


def test_several_outputs_are_told_apart(
    pictures: tuple[Path, dict[str, list[str]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copy(pictures[0] / "color.png", tmp_path)
    monkeypatch.chdir(tmp_path)
    other = sample_nets.layer("other", "Sigmoid", "ip")
    program = made(tmp_path, CLASSIFIER + other, *FLAGS)
    done = run_program(program, ["color.png", "--top=2"])
    assert done.stdout == command("run", "net.roast", "color.png", "--top=2")
    assert {"  prob:", "  other:"} <= set(done.stdout.splitlines())


@pytest.fixture
def exactly(
    pictures: tuple[Path, dict[str, list[str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """In a working directory of their own: pictures that a program reads to the last bit."""
    names = pictures[1]["exactly"]
    for name in names:
        shutil.copy(pictures[0] / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    return names


def test_objects(exactly: list[str], tmp_path: Path) -> None:
    program = made(tmp_path, DETECTOR, "--labels=labels.txt", "--mean-value=100")
    same(program, exactly, 1.1e-4, 0.11, "--threshold=0.1")
    done = run_program(program, ["color.png", "--threshold=1.5"])
    assert done.stdout == "color.png\n  nothing with a score of 1.5 or more\n"


def test_gray_with_a_mean_image(exactly: list[str], tmp_path: Path) -> None:
    np.save("mean.npy", np.random.default_rng(0).random((1, 20, 16)).astype(np.float32))
    net = CLASSIFIER.replace("dim: 1 dim: 3", "dim: 2 dim: 1")
    assert net != CLASSIFIER
    program = made(tmp_path, net, "--mean-file=mean.npy", "--raw-scale=1")
    same(program, exactly, 1.1e-4, 0)


def test_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.prototxt").write_text(CLASSIFIER)
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(RoasteryError) as told:
        build_executable(tmp_path / "net.prototxt", None, tmp_path / "classify")
    assert "a program needs a C compiler: CC is 'no-such-compiler'" in str(told.value)
    assert "install gcc or clang, or `pip install roastery[cpu]`" in str(told.value)
    assert not (tmp_path / "classify").exists()


def test_a_failing_compiler_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "net.prototxt").write_text(CLASSIFIER)
    compiler = tmp_path / "failing"
    real = shlex.join(c_kernels.compiler().command)
    compiler.write_text(f'#!/bin/sh\ncase "$*" in *main.c) exit 3;; *) exec {real} "$@";; esac\n')
    compiler.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CC", "./failing")  # from here, wherever it runs
    output = tmp_path / "classify"
    output.write_text("old")
    code = main(["build", str(tmp_path / "net.prototxt"), "--output", str(output)])
    assert code != 0
    assert "does not build the program: error: it ends with 3" in capsys.readouterr().err
    assert output.read_text() == "old"
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["classify", "failing", "net.prototxt"]
