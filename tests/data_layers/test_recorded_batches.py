"""Every batch that Caffe read from the recorded databases, lists and HDF5 files."""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
from recorded_cases import DATA, case_names, read_case, writable_copy

from runtime.data.hdf5_output import HDF5Output
from runtime.data.opening import open_source, probe_shapes
from runtime.data.prefetch import Prefetcher

CASES = [
    (kind, name) for kind in ("databases", "hdf5") for name in case_names(kind) if name != "output"
]
EXPECTED = {kind: np.load(DATA / kind / "expected.npz") for kind in ("databases", "hdf5")}
JPEG_SLACK = 12  # other JPEG decoders and resizers than the recorded ones differ by so much


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {
        kind: writable_copy(kind, tmp_path_factory.mktemp("recorded") / kind)
        for kind in ("databases", "hdf5")
    }


def expected_batches(kind: str, name: str, tops: tuple[str, ...]) -> list[list[np.ndarray]]:
    """Arrays per forward pass and top."""
    arrays = EXPECTED[kind]
    forwards = {int(key.split(".")[1]) for key in arrays.files if key.split(".")[0] == name}
    assert forwards == set(range(len(forwards))) and forwards
    return [[arrays[f"{name}.{forward}.{top}"] for top in tops] for forward in sorted(forwards)]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_batches_are_caffes(kind: str, name: str, copies: dict[str, Path]) -> None:
    config = read_case(kind, name)
    decoded = name.startswith(("images", "lmdb_files"))
    same_opencv = cv2.__version__.startswith(("4", "5"))
    source = open_source(config, "TEST", 1, copies[kind])
    try:
        for arrays in expected_batches(kind, name, config.tops):
            shapes = source.shapes()
            batch = source.next()
            for shape, got, wanted in zip(shapes, batch.arrays, arrays, strict=True):
                assert got.dtype == np.float32 and got.flags.c_contiguous
                assert got.shape == wanted.shape == shape
                if decoded and not same_opencv:
                    assert np.abs(got - wanted).max() <= JPEG_SLACK
                elif decoded:
                    assert np.abs(got - wanted).mean() <= JPEG_SLACK / 12
                else:
                    np.testing.assert_array_equal(got, wanted)
    finally:
        source.close()


def test_probing_is_quiet_and_leaves_nothing_locked(
    copies: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    config = read_case("databases", "leveldb_raw")
    with caplog.at_level(logging.INFO, "roastery.data"):
        for _ in range(2):
            assert probe_shapes(config, "TRAIN", copies["databases"]) == [(5, 3, 24, 20), (5,)]
        assert not caplog.messages
        open_source(config, "TRAIN", 1, copies["databases"]).close()
    assert caplog.messages == [
        f"Opened leveldb {copies['databases'] / 'leveldb_raw'}",
        "output data size: 5,3,24,20",
    ]


def test_end_of_the_database_is_told(
    copies: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    source = open_source(read_case("databases", "lmdb_raw"), "TEST", 1, copies["databases"])
    with caplog.at_level(logging.INFO, "roastery.data"):
        source.next()
        source.next()
        assert "Restarting" not in caplog.text
        source.next()
    assert caplog.messages == ["Restarting data prefetching from start."]
    assert caplog.records[0].origin == "data_layer.cpp"
    source.close()


def test_forced_colour_of_raw_records_is_told(
    copies: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    config = read_case("databases", "lmdb_raw_force_gray_ignored")
    open_source(config, "TEST", 1, copies["databases"]).close()
    assert "force_color and force_gray only for encoded datum" in caplog.messages


@pytest.mark.parametrize("threads", [1, 4])
def test_prefetched_batches_with_changing_shapes(threads: int, copies: dict[str, Path]) -> None:
    config = read_case("databases", "lmdb_files_batch1")
    source = open_source(config, "TEST", 1, copies["databases"])
    with Prefetcher(source, depth=5, threads=threads) as prefetcher:
        for arrays in expected_batches("databases", "lmdb_files_batch1", config.tops):
            assert prefetcher.shapes() == [array.shape for array in arrays]
            assert prefetcher.next().arrays[0].shape == arrays[0].shape


def test_hdf5_output_is_caffes(tmp_path: Path) -> None:
    with h5py.File(DATA / "hdf5" / "written.h5") as file:
        data, label = file["data"][...], file["label"][...]
    with HDF5Output(tmp_path / "out.h5") as output:
        output.append(data, label.reshape(-1))
    with h5py.File(tmp_path / "out.h5") as file:
        assert set(file) == {"data", "label"}
        for name, values in (("data", data), ("label", label)):
            assert file[name].shape == values.shape and file[name].dtype == values.dtype
            np.testing.assert_array_equal(file[name][...], values)
