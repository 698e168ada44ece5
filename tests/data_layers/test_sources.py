"""Order, shuffling and values of each kind of source."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
from every_source import CONFIGS, make_data, open_kind

from ir.errors import RoasteryError
from runtime.data.config import TransformConfig
from runtime.data.hdf5_output import HDF5Output
from runtime.data.opening import open_source
from runtime.data.sources import source_kinds
from runtime.data.sources.data import DataConfig
from runtime.data.sources.dummy_data import DummyDataConfig, DummyFiller
from runtime.data.sources.hdf5_data import HDF5DataConfig
from runtime.data.sources.image_data import ImageDataConfig
from runtime.data.sources.memory_data import MemoryDataConfig, MemorySource


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("sources"))


def test_every_kind_of_source_is_tried() -> None:
    kinds = {name for name, kind in source_kinds().items() if kind.__module__.startswith("runtime")}
    assert {config.kind for config in CONFIGS.values()} == kinds


def labels(config: object, folder: Path, batches: int, top: int = 1) -> list[int]:
    source = open_source(config, "TRAIN", 5, folder)  # type: ignore[arg-type]
    found = [int(v) for _ in range(batches) for v in source.next().arrays[top].ravel()]
    source.close()
    return found


def test_database_order_and_single_top(folder: Path) -> None:
    config = DataConfig(source="lmdb", batch_size=4)
    assert labels(config, folder, 6) == [i % 11 for i in range(24)]
    source = open_source(DataConfig(source="lmdb", batch_size=4, tops=("data",)), "TEST", 1, folder)
    assert source.shapes() == [(4, 3, 12, 14)] and len(source.next().arrays) == 1


@pytest.mark.parametrize("database", ["lmdb", "leveldb"])
def test_database_epochs_are_shuffled_anew(folder: Path, database: str) -> None:
    found = labels(DataConfig(source=database, batch_size=4, shuffle=True), folder, 11)
    epochs = [found[i : i + 11] for i in range(0, 44, 11)]
    assert all(sorted(epoch) == list(range(11)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in [*epochs, range(11)]}) == 5


def test_image_epochs_are_shuffled_anew(folder: Path) -> None:
    found = labels(ImageDataConfig(source="list.txt", batch_size=11, shuffle=True), folder, 4)
    epochs = [found[i : i + 11] for i in range(0, 44, 11)]
    assert all(sorted(epoch) == list(range(11)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in [*epochs, range(11)]}) == 5


def test_image_list_forms(tmp_path: Path) -> None:
    for name in ("a b.png", "plain.png"):
        cv2.imwrite(str(tmp_path / name), np.full((2, 3, 3), 7, np.uint8))
    (tmp_path / "list.txt").write_bytes(
        b"\xef\xbb\xbfa b.png 4\r\n\r\nplain.png -3 \nplain.png +007"
    )
    config = ImageDataConfig(source="list.txt", batch_size=3)
    assert labels(config, tmp_path, 1) == [4, -3, 7]


def test_hdf5_batches_cross_files(folder: Path) -> None:
    config = HDF5DataConfig(source="files.txt", batch_size=5, tops=("data", "label"))
    assert labels(config, folder, 6) == [i % 12 for i in range(30)]


def test_hdf5_shuffles_files_and_rows(folder: Path) -> None:
    config = HDF5DataConfig(source="files.txt", batch_size=12, shuffle=True, tops=("data", "label"))
    found = labels(config, folder, 5)
    epochs = [found[i : i + 12] for i in range(0, 60, 12)]
    file_of = [0] * 5 + [1] * 3 + [2] * 4
    orders = set()
    for epoch in epochs:
        assert sorted(epoch) == list(range(12))
        files = [file_of[label] for label in epoch]
        orders.add(tuple(dict.fromkeys(files)))
        assert sum(a != b for a, b in itertools.pairwise(files)) == 2
    assert len({tuple(epoch) for epoch in epochs}) == 5 and len(orders) > 1


def test_hdf5_output_appends(tmp_path: Path) -> None:
    output = HDF5Output(tmp_path / "out.h5")
    for i in range(3):
        output.append(np.full((2, 3), i), np.full(2, 10 * i))
    output.close()
    output.close()
    with h5py.File(tmp_path / "out.h5") as file:
        assert file["data"].shape == (6, 3, 1, 1)
        assert file["label"][:, 0, 0, 0].tolist() == [0, 0, 10, 10, 20, 20]
    with HDF5Output(tmp_path / "out.h5") as output:
        with pytest.raises(RoasteryError, match="2 rows and the label blob 3"):
            output.append(np.zeros((2, 3)), np.zeros(3))
        with pytest.raises(RoasteryError, match="5 axes"):
            output.append(np.zeros((2, 1, 1, 1, 1)), np.zeros(2))
        output.append(np.zeros((2, 3)), np.zeros(2))
        with pytest.raises(RoasteryError, match="may not change"):
            output.append(np.zeros((2, 4)), np.zeros(2))
    with pytest.raises(RoasteryError, match="cannot write HDF5 file"):
        HDF5Output(tmp_path / "gone" / "out.h5")


def test_hdf5_output_is_readable_before_it_is_closed(tmp_path: Path) -> None:
    output = HDF5Output(tmp_path / "out.h5")
    output.append(np.ones((2, 3)), np.zeros(2))
    copy = tmp_path / "copy.h5"
    copy.write_bytes((tmp_path / "out.h5").read_bytes())
    with h5py.File(copy) as file:
        assert file["data"].shape == (2, 3, 1, 1)
    output.close()


def memory(folder: Path, **more: object) -> MemorySource:
    config = MemoryDataConfig(batch_size=2, channels=1, height=2, width=2, **more)  # type: ignore[arg-type]
    source = open_source(config, "TEST", 1, folder)
    assert isinstance(source, MemorySource)
    return source


def test_memory_goes_round(tmp_path: Path) -> None:
    source = memory(tmp_path)
    assert source.shapes() == [(2, 1, 2, 2), (2,)]
    rows = np.arange(16, dtype=np.float32).reshape(4, 1, 2, 2)
    source.reset(rows, np.arange(4))
    first, second, third = (source.next() for _ in range(3))
    np.testing.assert_array_equal(first.arrays[0], rows[:2])
    assert second.arrays[1].ravel().tolist() == [2, 3]
    assert source.shapes() == [(2, 1, 2, 2), (2,)]
    np.testing.assert_array_equal(third.arrays[0], rows[:2])
    rows[0] = 99
    assert np.shares_memory(first.arrays[0], rows)
    source.shapes()
    source.reset(rows + 1, np.arange(4))
    assert source.next().arrays[0][0, 0, 0, 0] == 100


def test_memory_batch_size(tmp_path: Path) -> None:
    source = memory(tmp_path)
    source.reset(np.zeros((4, 1, 2, 2)), np.arange(4))
    source.batch_size = 4
    assert source.next().arrays[1].size == 4


def test_reset_with_a_transform_is_warned_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    memory(tmp_path, transform=TransformConfig(scale=2)).reset(np.zeros((2, 1, 2, 2)), np.zeros(2))
    assert "MemoryData does not transform array data on Reset()" in caplog.messages


def test_dummy_fills_constants_once(folder: Path) -> None:
    calls: list[tuple[str, int]] = []

    def filler(name: str, constant: bool) -> DummyFiller:
        def fill(shape: tuple[int, ...], seed: int) -> np.ndarray:
            calls.append((name, seed))
            return np.full(shape, len(calls))

        return DummyFiller(fill=fill, constant=constant)

    config = DummyDataConfig(
        tops=("a", "b"),
        num=(2,),
        channels=(3, 4),
        height=(1,),
        width=(5,),
        data_filler=(filler("a", True), filler("b", False)),
    )
    source = open_source(config, "TRAIN", 1, folder)
    assert source.shapes() == [(2, 3, 1, 5), (2, 4, 1, 5)]
    batches = [source.next().arrays for _ in range(3)]
    assert [name for name, _ in calls] == ["a", "b", "b", "b"]
    assert len({seed for _, seed in calls}) == 4
    assert [int(arrays[0].flat[0]) for arrays in batches] == [1, 1, 1]
    assert all(array.dtype == np.float32 for arrays in batches for array in arrays)


def test_layers_of_one_net_choose_differently(folder: Path) -> None:
    filler = DummyFiller(fill=lambda shape, seed: np.full(shape, seed % 9973))
    values = {
        name: open_source(
            DummyDataConfig(tops=("a",), shape=((1,),), data_filler=(filler,), layer=name),
            "TRAIN",
            1,
            folder,
        )
        .next()
        .arrays[0]
        .item()
        for name in ("one", "two")
    }
    assert values["one"] != values["two"]


def test_dummy_without_fillers_is_zero(folder: Path) -> None:
    config = DummyDataConfig(tops=("a", "b"), shape=((2, 3),))
    arrays = open_source(config, "TRAIN", 1, folder).next().arrays
    assert [array.shape for array in arrays] == [(2, 3), (2, 3)]
    assert not any(array.any() for array in arrays)


def test_kinds_are_read_as_configured(folder: Path) -> None:
    source = open_kind("lmdb_encoded", folder)
    raw = open_kind("lmdb", folder)
    for _ in range(3):
        for left, right in zip(source.next().arrays, raw.next().arrays, strict=True):
            np.testing.assert_array_equal(left, right)
    assert source.tops == CONFIGS["lmdb"].tops
