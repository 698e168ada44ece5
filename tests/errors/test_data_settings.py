"""An error about a setting of a data layer says which one, and stands where it does."""

from __future__ import annotations

from pathlib import Path

import cv2
import h5py
import lmdb
import numpy as np
import pytest

from ir.errors import RoasteryError
from roastery.building import BuildReport, NetRequest, lower_net
from roastery.reading import nets
from runtime.data.database_writer import new_database
from runtime.data.datum import Datum, serialize_datum
from runtime.data.mean_file import write_mean

MANY = 1 << 30

# The layer, with a # before the setting that the error is about.
CASES = {
    "no_source": 'type: "Data" #data_param { batch_size: 2 }',
    "batch_size": 'type: "Data" data_param { source: "db" #batch_size: 0 }',
    "no_batch_size": 'type: "Data" top: "label" #data_param { source: "db" }',
    "too_many": f'type: "Data" data_param {{ source: "db" backend: LMDB #batch_size: {MANY} }}',
    "too_far": 'type: "Data" data_param { source: "db" backend: LMDB batch_size: 10000 '
    f"#prefetch: {MANY} }}",
    "lost": 'type: "Data" data_param { batch_size: 2 #source: "lost" }',
    "empty": 'type: "Data" data_param { batch_size: 2 #source: "none" }',
    "nothing_there": 'type: "Data" data_param { batch_size: 2 #source: "." }',
    "damaged": 'type: "Data" data_param { batch_size: 2 #source: "bad" }',
    "no_datum": 'type: "Data" data_param { #source: "odd" batch_size: 2 }',
    "crop": 'type: "Data" data_param { source: "db" batch_size: 2 } '
    "transform_param { mirror: true #crop_size: 9 }",
    "crop_below_0": 'type: "Data" data_param { source: "db" batch_size: 2 } '
    "transform_param { #crop_size: 4294967295 }",
    "means": 'type: "Data" data_param { source: "db" batch_size: 2 } '
    "transform_param { #mean_value: 1 mean_value: 2 }",
    "both_means": 'type: "Data" data_param { source: "db" batch_size: 2 } '
    'transform_param { #mean_file: "mean" mean_value: 2 }',
    "no_mean": 'type: "Data" data_param { source: "db" batch_size: 2 } '
    'transform_param { scale: 2 #mean_file: "lost" }',
    "other_mean": 'type: "Data" data_param { source: "db" batch_size: 2 } '
    'transform_param { scale: 2 #mean_file: "mean" }',
    "both_forced": 'type: "Data" data_param { source: "db" batch_size: 2 } '
    "transform_param { #force_color: true force_gray: true }",
    "images_lost": 'type: "ImageData" top: "label" image_data_param { #source: "lost" }',
    "images_none": 'type: "ImageData" top: "label" image_data_param { #source: "empty.txt" }',
    "images_batch": 'type: "ImageData" top: "label" image_data_param { source: "list" '
    "#batch_size: 0 }",
    "height_alone": 'type: "ImageData" top: "label" image_data_param { source: "list" '
    "#new_height: 4 }",
    "width_alone": 'type: "ImageData" top: "label" image_data_param { source: "list" '
    "#new_width: 4 }",
    "skipped": 'type: "ImageData" top: "label" image_data_param { source: "list" '
    f"#rand_skip: {MANY} }}",
    "far_images": 'type: "ImageData" top: "label" image_data_param { source: "list" '
    f"batch_size: 10000 }} data_param {{ #prefetch: {MANY} }}",
    "large_images": 'type: "ImageData" top: "label" image_data_param { source: "list" '
    f"#new_height: {MANY} new_width: {MANY} }}",
    "pixels": 'type: "ImageData" top: "label" image_data_param { source: "list" '
    "#new_height: 30000 new_width: 10000 }",
    "dense_batch": 'type: "DenseImageData" top: "label" #dense_image_data_param { '
    'source: "pairs" }',
    "dense_crop": 'type: "DenseImageData" top: "label" dense_image_data_param { source: "pairs" '
    "batch_size: 1 crop_width: 2 #crop_height: 9 }",
    "dense_mirror": 'type: "DenseImageData" top: "label" dense_image_data_param { source: "pairs" '
    "batch_size: 1 } transform_param { #mirror: true }",
    "seg_type": 'type: "ImageSegData" top: "label" image_data_param { source: "pairs" '
    "#label_type: IMAGE }",
    "seg_width": 'type: "ImageSegData" top: "label" image_data_param { source: "pairs" '
    "label_type: PIXEL } transform_param { #crop_width: 9 }",
    "seg_factors": 'type: "ImageSegData" top: "label" image_data_param { source: "pairs" '
    "label_type: PIXEL } transform_param { crop_size: 3 #scale_factors: 0.001 }",
    "hdf5_transform": 'type: "HDF5Data" hdf5_data_param { source: "files" batch_size: 1 } '
    "#transform_param { scale: 2 }",
    "hdf5_batch": 'type: "HDF5Data" hdf5_data_param { source: "files" #batch_size: 0 }',
    "hdf5_lost": 'type: "HDF5Data" hdf5_data_param { batch_size: 1 #source: "lost" }',
    "hdf5_itself": 'type: "HDF5Data" hdf5_data_param { batch_size: 1 #source: "a.h5" }',
    "hdf5_none": 'type: "HDF5Data" hdf5_data_param { batch_size: 1 #source: "empty.txt" }',
    "hdf5_lost_file": 'type: "HDF5Data" hdf5_data_param { batch_size: 1 #source: "lost.txt" }',
    "memory_batch": 'type: "MemoryData" top: "label" memory_data_param { #batch_size: 0 '
    "channels: 1 height: 1 width: 1 }",
    "memory_width": 'type: "MemoryData" top: "label" memory_data_param { batch_size: 1 '
    "channels: 1 height: 1 #width: 0 }",
    "memory_large": 'type: "MemoryData" top: "label" memory_data_param { batch_size: 1 '
    f"#channels: {MANY} height: {MANY} width: 1 }}",
    "window_crop": 'type: "WindowData" top: "label" window_data_param { source: "w" batch_size: 1 '
    "} transform_param { #crop_size: 0 }",
    "window_large": 'type: "WindowData" top: "label" window_data_param { source: "w" batch_size: 1 '
    f"}} transform_param {{ #crop_size: {MANY} }}",
    "window_mode": 'type: "WindowData" top: "label" window_data_param { source: "w" batch_size: 1 '
    '#crop_mode: "round" } transform_param { crop_size: 4 }',
    "window_pad": 'type: "WindowData" top: "label" window_data_param { source: "w" batch_size: 1 '
    "#context_pad: 2 } transform_param { crop_size: 4 }",
    "window_share": 'type: "WindowData" top: "label" window_data_param { source: "w" batch_size: 1 '
    "#fg_fraction: 2 } transform_param { crop_size: 4 }",
    "window_lost": 'type: "WindowData" top: "label" window_data_param { batch_size: 1 '
    '#source: "lost" } transform_param { crop_size: 4 }',
    "window_none": 'type: "WindowData" top: "label" window_data_param { batch_size: 1 '
    '#source: "w" fg_threshold: 2 } transform_param { crop_size: 4 }',
    "window_means": 'type: "WindowData" top: "label" window_data_param { batch_size: 1 '
    'source: "w" } transform_param { crop_size: 4 #mean_value: 1 mean_value: 2 }',
    "window_mean": 'type: "WindowData" top: "label" window_data_param { batch_size: 1 '
    'source: "w" } transform_param { crop_size: 4 #mean_file: "mean" }',
    "dummy_fillers": 'type: "DummyData" top: "b" top: "c" dummy_data_param { shape { dim: 1 } '
    "#data_filler { } data_filler { } }",
    "dummy_both": 'type: "DummyData" dummy_data_param { #shape { dim: 1 } num: 1 channels: 1 '
    "height: 1 width: 1 }",
    "dummy_width": 'type: "DummyData" dummy_data_param { num: 1 channels: 1 height: 1 '
    "#width: 1 width: 1 }",
    "dummy_shapes": 'type: "DummyData" dummy_data_param { #shape { dim: 1 } shape { dim: 1 } }',
    "dummy_below_0": 'type: "DummyData" dummy_data_param { #shape { dim: -1 } }',
    "dummy_large": f'type: "DummyData" dummy_data_param {{ #shape {{ dim: {MANY} dim: {MANY} }} }}',
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data of every kind, and some of it bad."""
    made = tmp_path_factory.mktemp("data")
    with new_database(made / "db", "lmdb") as writer:
        writer.put(b"a", serialize_datum(Datum(3, 6, 7, bytes(126), 1)))
    with new_database(made / "odd", "lmdb") as writer:
        writer.put(b"a", b"\xff\xff")
    lmdb.open(str(made / "none")).close()
    (made / "bad").mkdir()
    (made / "bad" / "data.mdb").write_bytes(bytes(9000))
    write_mean(made / "mean", np.zeros((3, 2, 2), np.float32))
    cv2.imwrite(str(made / "a.png"), np.zeros((6, 7, 3), np.uint8))
    (made / "list").write_text("a.png 0\n")
    (made / "pairs").write_text("a.png a.png\n")
    (made / "empty.txt").write_text("")
    with h5py.File(made / "a.h5", "w") as file:
        file["data"] = np.zeros((2, 3))
    (made / "files").write_text("a.h5\n")
    (made / "lost.txt").write_text("lost.h5\n")
    (made / "w").write_text("# 0\na.png\n3\n6\n7\n2\n1 0.9 0 0 3 3\n0 0.1 0 0 3 3\n")
    return made


@pytest.mark.parametrize("name", CASES)
def test_the_place_is_the_settings(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked = f'layer {{ name: "in" top: "data" {CASES[name]} }}'
    before, _, after = marked.partition("#")
    monkeypatch.chdir(folder)
    net = nets.net_from_text(before + after, "net.prototxt")
    with pytest.raises(RoasteryError) as caught:
        lower_net(NetRequest(net, nets.net_state(net, "TEST")), BuildReport(print, print))
    error = caught.value
    assert error.location is not None
    assert str(error.location) == f"net.prototxt:1:{len(before) + 1} (layer 'in')", error
    setting = after.replace(":", " ").split()[0]
    # What is not given has the place of the block in which it is missing.
    missing = {"no_source": "source", "no_batch_size": "batch_size", "dense_batch": "batch_size"}
    assert error.field == missing.get(name, setting)


def test_a_setting_is_known_where_its_place_is_not() -> None:
    from runtime.data.opening import open_source
    from runtime.data.sources.data import DataConfig

    with pytest.raises(RoasteryError) as caught:
        open_source(DataConfig(source="db", batch_size=0), "TEST", 1)
    assert caught.value.location is None
    assert caught.value.field == "batch_size"


OTHERS = {
    "axis": 'type: "Softmax" bottom: "x" top: "s" softmax_param { #axis: 5 }',
    "softmax": 'type: "SoftmaxWithLoss" bottom: "x" bottom: "x" softmax_param { #axis: 5 }',
    "module": 'type: "Python" bottom: "x" python_param { layer: "L" #module: "is_not_there" }',
    "file": 'type: "HDF5Output" bottom: "x" bottom: "x" '
    'hdf5_output_param { #file_name: "no/folder.h5" }',
    "bottom": 'type: "ReLU" #bottom: "y" top: "s"',
    "type": '#type: "RuLU" bottom: "x" top: "s"',
    "weights": 'type: "ReLU" bottom: "x" top: "s" #loss_weight: 1 loss_weight: 2',
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_layers_say_it_too(name: str) -> None:
    before, _, after = f'layer {{ name: "in" {OTHERS[name]} }}'.partition("#")
    x = 'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }'
    net = nets.net_from_text(f"{x}\n{before}{after}")
    with pytest.raises(RoasteryError) as caught:
        lower_net(NetRequest(net, nets.net_state(net, "TEST")), BuildReport(print, print))
    error = caught.value
    assert error.location is not None
    assert (error.location.line, error.location.column) == (2, len(before) + 1)
    assert error.field == after.partition(":")[0]
