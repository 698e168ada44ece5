"""A file that is not there is told in one phrase by every command, with the nearest name."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from roastery.cli.main import main
from roastery.files.missing import missing, nearest_name

NET = 'layer { name: "d" type: "Input" top: "d" input_param { shape { dim: 1 dim: 3 } } }'

COMMANDS = {
    "train --solver=slover.prototxt": "solver.prototxt",
    "train --solver=solver.prototxt --weights=net.caffemodl": "net.caffemodel",
    "train --solver=solver.prototxt --snapshot=net.solverstat": "net.solverstate",
    "test --model=nte.prototxt --weights=net.caffemodel": "net.prototxt",
    "test --model=net.prototxt --weights=nte.caffemodel": "net.caffemodel",
    "time --model=nets/net.prototxt": None,
    "compile Net.prototxt": "net.prototxt",
    "export nte.prototxt --output=x.roast": "net.prototxt",
    "summary nte.prototxt": "net.prototxt",
    "draw_net nte.prototxt x.svg": "net.prototxt",
    "run net.raost": "net.roast",
    "inspect net.raost": "net.roast",
    "opt nte.prototxt": None,
    "parse_log trian.log .": "train.log",
    "plot_log trian.log": "train.log",
    "convert_imageset . lits.txt db": "list.txt",
    "convert_mnist images labels db": None,
    "convert_mnist_siamese lits.txt labels db --backend=lmdb": "list.txt",
    "compute_image_mean train_ldmb mean.binaryproto": "train_lmdb",
    "upgrade_net_proto_text nte.prototxt x": "net.prototxt",
    "upgrade_net_proto_binary nte.caffemodel x": "net.caffemodel",
    "upgrade_solver_proto_text slover.prototxt x": "solver.prototxt",
    "python scirpt.py": "script.py",
    "train --flagfile=flgas": "flags",
    "shims ./nowhere": None,
    "classify net.prototxt net.caffemodel --model_def=nte.prototxt --pretrained_model=x": (
        "net.prototxt"
    ),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROASTERY_DEVICE", "reference")
    (tmp_path / "net.prototxt").write_text(NET)
    (tmp_path / "solver.prototxt").write_text(
        'net: "net.prototxt" base_lr: 1 lr_policy: "fixed" max_iter: 1 snapshot_prefix: "x"'
    )
    for name in ("net.caffemodel", "net.solverstate", "net.roast", "train.log", "list.txt"):
        (tmp_path / name).write_text("")
    for name in ("script.py", "flags"):
        (tmp_path / name).write_text("")
    (tmp_path / "train_lmdb").mkdir()
    return tmp_path


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_says_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    assert main(shlex.split(line)) == 1
    error = capsys.readouterr().err.partition("error: ")[2]
    assert "there is no " in error and "No such file" not in error, error
    near = COMMANDS[line]
    assert near is None or f"did you mean '{near}'?" in error, error


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("net.prototx", "did you mean 'net.prototxt'?"),
        ("NET.PROTOTXT", "did you mean 'net.prototxt'?"),
        ("net", "did you mean 'net.caffemodel'?"),
        ("net.prototxt.txt", "did you mean 'net.prototxt'?"),
        ("train_lmbd/data.mdb", "did you mean 'train_lmdb'?"),
        ("train_lmdb/data.mdb", ""),
        ("somewhere/else/net.prototxt", "there is no folder 'somewhere'"),
        ("net.prototxt/x", "'net.prototxt' is no folder"),
        ("entirely different", ""),
        ("train_lmdb/", ""),
    ],
)
def test_the_nearest_name(folder: Path, path: str, near: str) -> None:
    if path != "train_lmdb/":
        assert nearest_name(path) == near


def test_what_is_wrong_with_a_folder_of_the_path(folder: Path) -> None:
    (folder / "train_lmdb" / "data.mdb").write_text("")
    assert nearest_name("train_lmbd/data.mdb") == "did you mean 'train_lmdb/data.mdb'?"


def test_names_that_cannot_be_printed(folder: Path) -> None:
    (folder / "na\nme.txt").write_text("")
    assert "\\n" in str(missing("file", "name.txt")) and "\nme" not in str(
        missing("file", "name.txt")
    )
