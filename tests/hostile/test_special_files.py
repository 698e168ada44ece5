"""Devices, pipes, sockets and folders where a file belongs: refused at once, with what to do."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ir.errors import RoasteryError
from roastery.cli.main import main
from roastery.files.atomic_file import atomic_path, atomic_write
from roastery.files.regular_file import check_name, open_regular, read_regular, read_regular_text
from runtime.data.hdf5_output import HDF5Output
from tests.support.measured import run_measured

NET = """
layer { name: "d" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 dim: 4 dim: 4 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 1 } }
"""
SOLVER = 'net: "net.prototxt" base_lr: 0 lr_policy: "fixed" max_iter: 0 snapshot_prefix: "s"'
DATA = 'layer {{ name: "d" top: "x" top: "y" type: "{}" {} }}'


@pytest.fixture
def special(tmp_path: Path) -> Iterator[dict[str, str]]:
    """What is no file, by what errors call it."""
    os.mkfifo(tmp_path / "fifo")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "socket"))
    (tmp_path / "link").symlink_to("/dev/zero")
    with listening:
        yield {
            "a pipe": str(tmp_path / "fifo"),
            "a socket": str(tmp_path / "socket"),
            "a device": "/dev/zero",
            "also a device": str(tmp_path / "link"),
        }


def test_the_gate(special: dict[str, str], tmp_path: Path) -> None:
    for kind, path in special.items():
        with pytest.raises(RoasteryError, match=f"is {kind.removeprefix('also ')}, not a file"):
            open_regular(path)
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "none")
    (tmp_path / "file").write_bytes(b"caf\xe9")
    (tmp_path / "to_file").symlink_to("file")
    assert read_regular(tmp_path / "to_file") == b"caf\xe9"
    assert read_regular_text(tmp_path / "file") == "caf\udce9"
    for name in ("a\0b", "\ud800"):
        with pytest.raises(RoasteryError, match="cannot be the name of a file"):
            check_name(name)


def commands(path: str) -> list[list[str]]:
    """Every reader of the commands, with ``path`` where a file belongs."""
    model = ["--model_def=net.prototxt", "--pretrained_model=s_iter_0.caffemodel"]
    return [
        ["train", f"--solver={path}"],
        ["train", "--solver=solver.prototxt", f"--snapshot={path}"],
        ["train", "--solver=solver.prototxt", f"--weights={path}"],
        ["test", "--model=net.prototxt", f"--weights={path}"],
        ["time", f"--model={path}"],
        ["compile", path],
        ["export", f"--model={path}", "--output=o.roast", "--target=cpu"],
        ["run", path],
        ["run", "net.roast", f"--input=x={path}"],
        ["convert_imageset", "./", path, "new_db"],
        ["create_annoset", "./", path, "new_db"],
        ["create_annoset", "./", "x.list", "new_db", f"--label_map_file={path}"],
        ["compute_image_mean", path, "mean.binaryproto"],
        ["convert_mnist", path, path, "new_db"],
        ["classify", path, "o.npy", *model],
        ["classify", "x.npy", "o.npy", f"--mean_file={path}", *model],
        ["detect", path, "o.csv", *model],
        ["detect", path, "o.csv", "--crop_mode=list", "--context_pad=1", *model],
        ["segment", "net.prototxt", "s_iter_0.caffemodel", path],
        ["segment", "net.prototxt", "s_iter_0.caffemodel", "x.png", f"--classes={path}"],
        ["resize_and_crop", ".", "out", f"--input_file_list={path}"],
        ["upgrade_net_proto_text", path, "u.prototxt"],
        ["upgrade_net_proto_binary", path, "u.caffemodel"],
        ["upgrade_solver_proto_text", path, "u.prototxt"],
        ["draw_net", path, "d.svg"],
        ["parse_log", path, "."],
        ["plot_log", path, "--output=p.png"],
        *([["python", path]] if "fifo" not in path else []),
    ]


def layers(path: str, kind: str) -> dict[str, tuple[str, str]]:
    """Every path that a net names."""
    return {
        "list": ("ImageData", f'image_data_param {{ source: "{path}" }}'),
        "picture": ("ImageData", f'image_data_param {{ source: "{kind}.txt" }}'),
        "boxes": (
            "AnnotatedData",
            f'data_param {{ source: "{path}" batch_size: 1 backend: LMDB }}',
        ),
        "video": (
            "VideoData",
            f'video_data_param {{ video_type: VIDEO video_file: "{path}" }} '
            "data_param { batch_size: 1 }",
        ),
        "pairs": ("DenseImageData", f'dense_image_data_param {{ source: "{path}" batch_size: 1 }}'),
        "windows": (
            "WindowData",
            f'window_data_param {{ source: "{path}" batch_size: 1 }} '
            "transform_param { crop_size: 2 }",
        ),
        "rows": ("HDF5Data", f'hdf5_data_param {{ source: "{path}" batch_size: 1 }}'),
        "file of rows": (
            "HDF5Data",
            f'hdf5_data_param {{ source: "{kind}.list" batch_size: 1 }}',
        ),
        "mean": (
            "ImageData",
            f'image_data_param {{ source: "x.txt" }} transform_param {{ mean_file: "{path}" }}',
        ),
        "database": ("Data", f'data_param {{ source: "{path}" batch_size: 1 backend: LMDB }}'),
    }


def test_every_command_and_layer(special: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "net.prototxt").write_text(NET)
    (tmp_path / "solver.prototxt").write_text(SOLVER)
    np.save(tmp_path / "x.npy", np.zeros((1, 3, 4, 4), np.float32))
    (tmp_path / "x.txt").write_text("x.npy 0\n")
    cases: list[list[str]] = []
    for kind in ("a pipe", "a device"):
        path = special[kind]
        cases += commands(path)
        folder = tmp_path / kind.split()[-1]
        folder.mkdir()
        (tmp_path / f"{kind}.txt").write_text(f"{path} 0\n")
        (tmp_path / f"{kind}.list").write_text(f"{path}\n")
        for name, (type, text) in layers(path, kind).items():
            (folder / name).write_text(DATA.format(type, text))
            cases.append(["time", f"--model={folder / name}"])
    begin = [
        ["train", "--solver=solver.prototxt"],
        ["export", "--model=net.prototxt", "--output=net.roast", "--target=cpu"],
    ]
    *begun, ending = run_measured([*begin, *cases, ["compile", "net.prototxt"]], tmp_path)
    assert all(outcome.code == 0 for outcome in (*begun[:2], ending)), begun[0].err
    for words, outcome in zip(cases, begun[2:], strict=True):
        assert outcome.code == 1, (words, outcome)
        assert "Traceback" not in outcome.err and "error: " in outcome.err
        assert outcome.mebibytes < 100


def test_databases_of_special_files(special: dict[str, str], tmp_path: Path) -> None:
    """A folder that looks like a database, but whose file never ends or never begins."""
    cases = []
    for kind in ("fifo", "link"):
        for entry in ("data.mdb", "CURRENT"):
            folder = tmp_path / f"{kind}_{entry}"
            folder.mkdir()
            (folder / entry).symlink_to(tmp_path / kind)
            cases.append(["compute_image_mean", str(folder), "mean.binaryproto"])
        folder = tmp_path / f"{kind}_table"
        folder.mkdir()
        (folder / "CURRENT").write_text("MANIFEST-000002\n")
        (folder / "MANIFEST-000002").symlink_to(tmp_path / kind)
        cases.append(["compute_image_mean", str(folder), "mean.binaryproto"])
    for words, outcome in zip(cases, run_measured(cases, tmp_path), strict=True):
        assert outcome.code == 1, words
        assert "Traceback" not in outcome.err and "error: " in outcome.err
        assert outcome.mebibytes < 100


def test_pipes_are_written_to(tmp_path: Path) -> None:
    """Never replaced; formats that go back and forth arrive whole too."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    found: list[bytes] = []

    def read() -> None:
        found.append(fifo.read_bytes())

    for write in (lambda file: file.write(b"x" * 200_000), lambda file: np.savez(file, a=[1, 2])):
        reader = threading.Thread(target=read)
        reader.start()
        with atomic_write(fifo) as file:
            write(file)
        reader.join(10)
        assert not reader.is_alive()
    assert fifo.is_fifo()
    assert found[0] == b"x" * 200_000 and found[1].startswith(b"PK")


def test_a_pipe_without_a_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roastery.files.special_output._PATIENCE", 0.1)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(RoasteryError, match="nobody reads this pipe"):
        with atomic_path(tmp_path / "fifo") as temporary:
            temporary.write_bytes(b"x")
    assert (tmp_path / "fifo").is_fifo()


def test_devices_as_outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET)
    export = ["export", "--model=net.prototxt", "--target=cpu"]
    assert main([*export, "--output=/dev/null"]) == 0
    assert main(["upgrade_net_proto_text", "net.prototxt", "/dev/null"]) == 0
    assert main(["upgrade_net_proto_text", "net.prototxt", "/dev/full"]) == 1
    assert not Path("/dev/null").is_file()
    with pytest.raises(RoasteryError, match="it is a device or pipe, not a file"):
        HDF5Output(Path("/dev/null"))
