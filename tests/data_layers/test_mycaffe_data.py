"""MyCaffe's Data: records drawn at random, pairs of pictures, and orders of colours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import roastery
from ir.errors import RoasteryError
from runtime.data.config import TransformConfig
from runtime.data.database_writer import new_database
from runtime.data.datum import Datum, serialize_datum
from runtime.data.image_codec import encode_image
from runtime.data.mean_file import write_mean
from runtime.data.opening import open_source
from runtime.data.source import DataSource
from runtime.data.sources.data import DataConfig

PAIRS: dict[str, Any] = {"images_per_blob": 2, "output_all_labels": True}


def opened(folder: Path, labels: list[int], encoded: bool = False, **settings: Any) -> DataSource:
    """Data of 2 x 3 pictures in colour; each holds its number times 10, plus the channel."""
    if not (folder / "db").exists():
        with new_database(folder / "db", "lmdb") as writer:
            for i, label in enumerate(labels):
                values = np.full((3, 2, 3), 10 * i, np.uint8) + np.arange(3, dtype=np.uint8)[
                    :, np.newaxis, np.newaxis
                ]  # fmt: skip
                datum = (
                    Datum(data=encode_image(values.transpose(1, 2, 0), "png"), encoded=True)
                    if encoded
                    else Datum(3, 2, 3, values.tobytes())
                )
                datum.label = label
                writer.put(b"%05d" % i, serialize_datum(datum))
    config = DataConfig(**{"source": "db", "backend": "LMDB", "batch_size": 4, **settings})
    return open_source(config, "TRAIN", 3, folder)


def numbers(data: np.ndarray) -> list[list[int]]:
    """The pictures of each item."""
    return (data[:, ::3, 0, 0] / 10).astype(int).tolist()


# --- records at random --------------------------------------------------------------------------


def test_records_are_drawn_from_all(tmp_path: Path) -> None:
    source = opened(tmp_path, list(range(5)), enable_random_selection=True)
    found = np.concatenate([source.next().arrays[1] for _ in range(250)]).astype(int)
    source.close()
    counts = np.bincount(found, minlength=5)
    assert counts.min() > 150 and counts.max() < 250
    followed = np.zeros((5, 5), int)
    np.add.at(followed, (found[:-1], found[1:]), 1)
    assert followed.min() > 15  # itself, too


def test_they_are_read_in_order_otherwise(tmp_path: Path) -> None:
    source = opened(tmp_path, list(range(4)), enable_random_selection=False)
    assert source.next().arrays[1].tolist() == [0, 1, 2, 3]
    source.close()


# --- pairs --------------------------------------------------------------------------------------


def test_pairs_of_what_comes_next(tmp_path: Path) -> None:
    source = opened(tmp_path, [0, 0, 1, 2, 3, 3], batch_size=3, balance_matches=False, **PAIRS)
    assert source.shapes() == [(3, 6, 2, 3), (3, 2)]
    data, labels = source.next().arrays
    source.close()
    assert numbers(data) == [[0, 1], [2, 3], [4, 5]]
    assert labels.tolist() == [[0, 0], [1, 2], [3, 3]]
    np.testing.assert_array_equal(data[1, :, 1, 2], [20, 21, 22, 30, 31, 32])
    plain = opened(tmp_path, [], batch_size=3, balance_matches=False, images_per_blob=2)
    assert plain.shapes() == [(3, 6, 2, 3), (3, 1)]
    assert plain.next().arrays[1].tolist() == [[1], [0], [1]]
    plain.close()


def test_every_other_pair_is_of_one_label(tmp_path: Path) -> None:
    source = opened(tmp_path, [0, 1, 1, 0, 2, 2], **PAIRS)
    data, labels = source.next().arrays
    source.close()
    # 0 waits for the next 0; 4 takes the first other; round again from 0, and so on.
    assert numbers(data) == [[0, 3], [4, 0], [1, 2], [3, 4]]
    assert labels.tolist() == [[0, 0], [2, 0], [1, 1], [0, 2]]


@pytest.mark.parametrize("random", [False, True])
def test_half_of_the_pairs_match(random: bool, tmp_path: Path) -> None:
    labels = [i % 7 // 2 for i in range(24)]
    source = opened(tmp_path, labels, enable_random_selection=random, **PAIRS)
    for _ in range(20):
        told = source.shapes()
        data, found = source.next().arrays
        assert told == [data.shape, found.shape]
        assert (found[:, 0] == found[:, 1]).tolist() == [True, False] * 2
        assert [[labels[n] for n in pair] for pair in numbers(data)] == found.tolist()
    source.close()


def test_a_pair_that_cannot_be_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = opened(tmp_path, [5, 5], batch_size=2, **PAIRS)
    with caplog.at_level("WARNING"):
        assert source.next().arrays[1].tolist() == [[5, 5], [5, 5]]
    source.close()
    assert "no record with another label as the first picture's was found" in caplog.text


def test_pictures_of_a_pair_are_mirrored_by_themselves(tmp_path: Path) -> None:
    with new_database(tmp_path / "db", "lmdb") as writer:
        writer.put(b"0", serialize_datum(Datum(1, 1, 2, bytes([1, 2]))))
    settings = {"balance_matches": False, "transform": TransformConfig(mirror=True), **PAIRS}
    source = opened(tmp_path, [], batch_size=50, **settings)
    data = source.next().arrays[0]
    source.close()
    assert data.shape == (50, 2, 1, 2)
    kinds = {tuple(item[:, 0, 0].tolist()) for item in data}
    assert kinds == {(1, 1), (1, 2), (2, 1), (2, 2)}


# --- colours and means --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "encoded", "channels"),
    [("RGB", True, [2, 1, 0]), ("BGR", True, [0, 1, 2]), ("RGB", False, [0, 1, 2])],
)
def test_orders_of_colours(
    order: str, encoded: bool, channels: list[int], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    transform = TransformConfig(color_order=order)  # type: ignore[arg-type]
    with caplog.at_level("WARNING"):
        source = opened(tmp_path, [0], encoded, batch_size=1, transform=transform)
    assert source.next().arrays[0][0, :, 0, 0].tolist() == channels
    source.close()
    assert ("color_order only for encoded datum" in caplog.text) == (not encoded)


def test_grey_pictures_have_no_order(tmp_path: Path) -> None:
    with new_database(tmp_path / "db", "lmdb") as writer:
        picture = encode_image(np.full((2, 2), 7, np.uint8), "png")
        writer.put(b"0", serialize_datum(Datum(data=picture, encoded=True)))
    source = opened(tmp_path, [], batch_size=1, transform=TransformConfig(color_order="RGB"))
    assert source.next().arrays[0].shape == (1, 1, 2, 2)
    source.close()


def test_a_mean_file_stands_for_the_mean_of_the_database(tmp_path: Path) -> None:
    write_mean(tmp_path / "mean", np.full((3, 2, 3), 4, np.float32))
    transform = TransformConfig(use_imagedb_mean=True, mean_file="mean")
    source = opened(tmp_path, [0], batch_size=1, transform=transform)
    assert source.next().arrays[0][0, :, 0, 0].tolist() == [-4, -3, -2]
    source.close()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"images_per_blob": 3}, "images_per_blob is 3"),
        ({"images_per_blob": 0}, "images_per_blob is 0"),
        ({"shuffle": True, "enable_random_selection": True}, "chosen in two ways"),
        ({"transform": TransformConfig(use_image_mean=True)}, "use_image_mean subtracts the mean"),
        ({"transform": TransformConfig(use_imagedb_mean=True)}, "use_imagedb_mean subtracts"),
    ],
)
def test_refused_at_once(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(RoasteryError, match=message):
        opened(tmp_path, [0, 1], **settings)


def test_a_net_says_it(tmp_path: Path) -> None:
    """The first layers of MyCaffe's siamese net."""
    opened(tmp_path, [1, 1, 2, 2]).close()
    text = f"""layer {{ name: "pair_data" type: "Data" top: "pair_data" top: "sim"
      transform_param {{ scale: 0.5 color_order: RGB }}
      data_param {{ source: "{tmp_path}/db" batch_size: 2 backend: LMDB
        enable_random_selection: True images_per_blob: 2 output_all_labels: True
        balance_matches: True }} }}
    layer {{ name: "slice" type: "Slice" bottom: "pair_data" top: "data" top: "data_p"
      slice_param {{ axis: 1 slice_point: 3 }} }}"""
    (tmp_path / "net.prototxt").write_text(text)
    found = roastery.compile(tmp_path / "net.prototxt", device="reference")()
    assert found["data"].shape == found["data_p"].shape == (2, 3, 2, 3)
    assert (found["sim"][:, 0] == found["sim"][:, 1]).tolist() == [True, False]
    (tmp_path / "net.prototxt").write_text(text.replace("backend: LMDB", "backend: IMAGEDB"))
    with pytest.raises(RoasteryError, match="IMAGEDB"):
        roastery.compile(tmp_path / "net.prototxt", device="reference")
