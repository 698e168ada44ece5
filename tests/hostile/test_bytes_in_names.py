"""Names that are no UTF-8 or hold a zero byte: of files, of layers, on the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ir.errors import RoasteryError
from roastery.cli.main import main
from runtime.data.image_codec import encode_image

DEPLOY = b"""
layer { name: "d" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 } } }
layer { name: "%s" type: "InnerProduct" bottom: "x" top: "%s"
  inner_product_param { num_output: 2 } }
"""
TRAIN = b"""
layer { name: "d" type: "DummyData" top: "x" dummy_data_param { shape { dim: 2 dim: 3 } } }
layer { name: "%s" type: "InnerProduct" bottom: "x" top: "y"
  inner_product_param { num_output: 2 } }
layer { name: "l" type: "EuclideanLoss" bottom: "y" bottom: "y" top: "l" }
"""
LATIN = b"caf\xe9"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def error(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(words) == 1
    told = capsys.readouterr().err
    return told[told.index("error: ") :]


@pytest.mark.parametrize("name", [LATIN, rb"\377\376", rb"\355\240\200"])
def test_layer_names(name: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be saved is told before the training, not after it."""
    Path("net.prototxt").write_bytes(TRAIN % name)
    solver = 'net: "net.prototxt" base_lr: 0 lr_policy: "fixed" max_iter: 1 snapshot_prefix: "s" '
    Path("solver.prototxt").write_text(solver)
    told = error(capsys, "train", "--solver=solver.prototxt")
    assert "net.prototxt:3:" in told and "`name` is not valid UTF-8" in told
    assert "snapshot_format: HDF5" in told
    Path("solver.prototxt").write_text(solver + "snapshot_format: HDF5")
    assert main(["train", "--solver=solver.prototxt"]) == 0
    assert main(["test", "--model=net.prototxt", "--weights=s_iter_1.caffemodel.h5"]) == 0
    Path("net.prototxt").write_bytes(DEPLOY % (name, name))
    assert main(["time", "--model=net.prototxt", "--iterations=1"]) == 0
    export = ["export", "--model=net.prototxt", "--output=net.roast", "--target=cpu"]
    assert "is not valid UTF-8, which names of weights" in error(capsys, *export)
    assert not Path("net.roast").exists()


def test_files_and_lists_of_other_encodings(folder: Path) -> None:
    """Bytes in, the same bytes out."""
    name = os.fsdecode(LATIN)
    Path(f"{name}.png").write_bytes(encode_image(np.full((4, 4, 3), 7, np.uint8), "png"))
    Path("list.txt").write_bytes(LATIN + b".png 1\n")
    Path(f"{name}.prototxt").write_bytes(DEPLOY % (b"a", b"b"))
    model = f"--model={name}.prototxt"
    assert main(["convert_imageset", "./", "list.txt", f"{name}_db"]) == 0
    level = ["convert_imageset", "./", "list.txt", f"{name}_ldb", "--backend=leveldb"]
    assert main(level) == 0
    assert main(["compute_image_mean", f"{name}_ldb", "mean.binaryproto"]) == 0
    assert main(["compute_image_mean", f"{name}_db", f"{name}.binaryproto"]) == 0
    assert main(["resize_and_crop", ".", "out"]) == 0
    assert main(["time", model, "--iterations=1"]) == 0
    assert main(["export", model, f"--output={name}.roast", "--target=cpu"]) == 0
    np.save("x.npy", np.zeros((1, 3), np.float32))
    assert main(["run", f"{name}.roast", "--input=x.npy", f"--output={name}.npz"]) == 0
    assert {LATIN + b".png", LATIN + b".roast", LATIN + b".npz"} <= set(
        os.listdir(os.fsencode(folder))
    )
    assert os.listdir(b"out") == [LATIN + b".png"]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_they_are_printed_everywhere(encoding: str, folder: Path) -> None:
    """In a real process, whose output takes no surrogates."""
    Path("net.prototxt").write_bytes(DEPLOY % (b"a", b"b"))
    root = str(Path(__file__).parents[2])
    for words in (
        [b"upgrade_net_proto_text", b"net.prototxt", LATIN],
        [b"time", b"--model=" + LATIN * 2],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "roastery", *words],
            env={**os.environ, "PYTHONPATH": root, "PYTHONIOENCODING": encoding},
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert b"Traceback" not in done.stderr
        assert done.returncode == (0 if words[0].startswith(b"upgrade") else 1)
        assert b"caf" in done.stdout + done.stderr


ZERO = r"a\000b"


@pytest.mark.parametrize(
    "layer",
    [
        f'type: "ImageData" top: "y" image_data_param {{ source: "{ZERO}" }}',
        'type: "ImageData" top: "y" image_data_param { source: "list.txt" }',
        f'type: "ImageData" top: "y" image_data_param {{ source: "x.txt" root_folder: "{ZERO}" }}',
        f'type: "HDF5Data" hdf5_data_param {{ source: "{ZERO}" batch_size: 1 }}',
        'type: "HDF5Data" hdf5_data_param { source: "list.txt" batch_size: 1 }',
        f'type: "Data" data_param {{ source: "{ZERO}" batch_size: 1 backend: LMDB }}',
        f'type: "WindowData" top: "y" window_data_param {{ source: "{ZERO}" batch_size: 1 }} '
        "transform_param { crop_size: 2 }",
        f'type: "ImageData" top: "y" image_data_param {{ source: "x.txt" }} '
        f'transform_param {{ mean_file: "{ZERO}" }}',
    ],
)
def test_zero_bytes_in_a_net(layer: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.prototxt").write_text(f'layer {{ name: "d" top: "x" {layer} }}\n')
    Path("list.txt").write_bytes(b"a\0b 0\n")
    Path("x.txt").write_bytes(b"x 0\n")
    told = error(capsys, "test", "--model=net.prototxt", "--weights=none.caffemodel")
    assert "\0" not in told and "net.prototxt:1:" in told


@pytest.mark.parametrize(
    "setting",
    [f'net: "{ZERO}"', f'snapshot_prefix: "{ZERO}"', f'weights: "{ZERO}"', f'test_net: "{ZERO}"'],
)
def test_zero_bytes_in_a_solver(setting: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.prototxt").write_bytes(TRAIN % b"a")
    net = "" if setting.startswith("net:") else 'net: "net.prototxt" '
    rest = 'base_lr: 0 lr_policy: "fixed" max_iter: 0 '
    if setting.startswith("test_net"):
        rest += "test_iter: 1 test_interval: 1 "
    Path("solver.prototxt").write_text(net + rest + setting)
    assert "\0" not in error(capsys, "train", "--solver=solver.prototxt")
    assert not [name for name in os.listdir() if name.startswith("a")]


def test_zero_bytes_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "an argument cannot hold a zero byte" in error(capsys, "time", "--model=a\0b")


def test_zero_bytes_from_python() -> None:
    from frontends.caffemodel import read_weights
    from roastery.caffe.io import load_image
    from roastery.cli.arrays import load_npy

    for reader in (read_weights, load_npy, load_image):
        with pytest.raises(RoasteryError, match="holds a zero byte"):
            reader("a\0b")
