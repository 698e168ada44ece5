"""Results by names of blobs in one file, whatever the blobs are called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from roastery.cli.arrays import save_arrays


@pytest.mark.parametrize("name", ["file", "allow_pickle", "args", "a/b", "..", "é", "x.npy"])
def test_any_name_is_the_name_of_an_array(name: str, tmp_path: Path) -> None:
    arrays = {name: np.arange(3, dtype=np.float32), "other": np.zeros((2, 0))}
    save_arrays(tmp_path / "x.npz", arrays)
    with np.load(tmp_path / "x.npz") as found:
        assert found.files == [name, "other"]
        for key, array in arrays.items():
            assert np.array_equal(found[key], array) and found[key].dtype == array.dtype


def test_names_that_no_zip_can_hold_stand_as_they_are_printed(tmp_path: Path) -> None:
    save_arrays(tmp_path / "x.npz", {"a\udcff": np.zeros(1), "a\0b": np.zeros(2)})
    with np.load(tmp_path / "x.npz") as found:
        assert [found[name].shape for name in found.files] == [(1,), (2,)]
        assert all(name.isprintable() for name in found.files)


def test_the_same_arrays_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_arrays(tmp_path / "a.npz", {"x": np.zeros(3)})
    monkeypatch.setattr("time.time", lambda: 1e9)
    save_arrays(tmp_path / "b.npz", {"x": np.zeros(3)})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
