"""Batches that no machine can hold: refused from one record, before anything is made."""

from __future__ import annotations

import resource
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from roastery.cli.main import main
from runtime.data.database_writer import new_database
from runtime.data.datum import Datum, serialize_datum

MOST = 2**32 - 1

NET = """layer {{ name: "in" top: "data" top: "label" {layer} }}
layer {{ name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param {{ num_output: 2 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }}
"""

DATA = 'type: "Data" data_param { source: "%s" backend: %s\n batch_size: %d\n prefetch: %d }'
CROP = " transform_param { mirror: true crop_size: 4 }"
IMAGE = 'type: "ImageData" image_data_param { source: "list.txt"\n'
WINDOW = 'type: "WindowData" window_data_param { source: "windows.txt"\n'
TOO_MANY = f"batch_size is {MOST}: {MOST} x 3 x "

LAYERS = {
    "lmdb": (DATA % ("lmdb", "LMDB", MOST, 1), TOO_MANY + "8 x 8 need"),
    "lmdb, mirrored": (DATA % ("lmdb", "LMDB", MOST, 4) + CROP, TOO_MANY + "4 x 4 need"),
    "leveldb": (DATA % ("leveldb", "LEVELDB", MOST, 4) + CROP, TOO_MANY + "4 x 4 need"),
    "prefetch": (DATA % ("lmdb", "LMDB", 2, MOST), f"prefetch is {MOST} and batch_size 2:"),
    "images": (IMAGE + f"batch_size: {MOST} }}", TOO_MANY + "8 x 8 need"),
    "new_height": (
        IMAGE + f"new_height: {MOST} new_width: 1000000 }}",
        f"new_height is {MOST} and new_width is 1000000: 3 x {MOST} x 1000000 values need",
    ),
    "resized": (
        IMAGE + "batch_size: 100000 new_height: 5000 new_width: 5000 }",
        "batch_size is 100000: 100000 x 3 x 5000 x 5000 need",
    ),
    "windows": (
        WINDOW + f"batch_size: {MOST} }} transform_param {{ crop_size: 7 mirror: true }}",
        TOO_MANY + "7 x 7 need",
    ),
    "crop_size": (
        WINDOW + f"batch_size: 1 }} transform_param {{ crop_size: {MOST} }}",
        f"crop_size is {MOST}: 3 x {MOST} x {MOST} values need",
    ),
    "hdf5": (
        f'type: "HDF5Data" hdf5_data_param {{ source: "files.txt"\n batch_size: {MOST} }}',
        TOO_MANY + "8 x 8 need",
    ),
    "memory": (
        'type: "MemoryData" memory_data_param { channels: 3 height: 8 width: 8\n '
        f"batch_size: {MOST} }}",
        TOO_MANY + "8 x 8 need",
    ),
    "memory, one row": (
        f'type: "MemoryData" memory_data_param {{ batch_size: 1\n channels: {MOST} '
        f"height: {MOST} width: 8 }}",
        f"channels, height and width: {MOST} x {MOST} x 8 values need",
    ),
    "dummy": (
        'type: "DummyData" dummy_data_param {\n shape '
        f"{{ dim: {MOST} dim: 3 dim: 8 }} shape {{ dim: 4 }} }}",
        f"shape of top 'data': {MOST} x 3 x 8 values need",
    ),
    "dummy, by numbers": (
        f'type: "DummyData" dummy_data_param {{\n num: {MOST} num: 1 '
        "channels: 3 channels: 1 height: 8 height: 1 width: 8 width: 1 }",
        f"num, channels, height and width of top 'data': {MOST} x 3 x 8 x 8 values need",
    ),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("batches")
    for name in ("lmdb", "leveldb"):
        with new_database(folder / name, name) as writer:
            for i in range(10):
                writer.put(b"%d" % i, serialize_datum(Datum(3, 8, 8, bytes(192), i % 2)))
    cv2.imwrite(str(folder / "a.png"), np.zeros((8, 8, 3), np.uint8))
    (folder / "list.txt").write_text("a.png 0\n")
    (folder / "windows.txt").write_text("# 0\na.png\n3 8 8\n2\n1 0.9 0 0 5 5\n0 0.1 0 0 6 6\n")
    with h5py.File(folder / "rows.h5", "w") as file:
        file["data"], file["label"] = np.zeros((5, 3, 8, 8), np.float32), np.zeros(5, np.float32)
    (folder / "files.txt").write_text("rows.h5\n")
    return folder


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("command", ["compile", "time", "export", "train"])
def test_a_batch_that_is_too_large(
    command: str,
    name: str,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(data)
    layer, message = LAYERS[name]
    Path("net.prototxt").write_text(NET.format(layer=layer))
    Path("solver.prototxt").write_text(
        'net: "net.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 1 snapshot_prefix: "x"'
    )
    words = {
        "compile": ["net.prototxt"],
        "time": ["--model=net.prototxt"],
        "export": ["--model=net.prototxt", "--output=net.roast"],
        "train": ["--solver=solver.prototxt"],
    }[command]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert main([command, *words]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "net.prototxt:2:" in error or "net.prototxt:3:" in error
    assert "of memory" in error
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB
    assert not Path("net.roast").exists()


def test_limits_of_the_process_count(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`ulimit -v`: a batch that the machine could hold, and this process cannot."""
    monkeypatch.chdir(data)
    Path("net.prototxt").write_text(NET.format(layer=DATA % ("lmdb", "LMDB", 10_000_000, 1)))
    monkeypatch.setattr("resource.getrlimit", lambda _: (1 << 33, 1 << 40))
    assert main(["compile", "net.prototxt"]) == 1
    assert "need 9.574 GiB" in (error := capsys.readouterr().err)
    assert "this machine has 8 GiB of memory" in error


def test_shapes_are_known_from_one_record(data: Path) -> None:
    """Nothing is planned for a look at the shapes."""
    from runtime.data.opening import open_source
    from runtime.data.sources.data import DataConfig

    source = open_source(
        DataConfig(source="lmdb", batch_size=1_000_000, backend="LMDB"), "TRAIN", 1, data
    )
    before = source.position()
    assert source.shapes() == [(1_000_000, 3, 8, 8), (1_000_000,)]
    assert source.position() == before
    source.close()
