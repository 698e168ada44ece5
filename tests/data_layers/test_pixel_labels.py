"""Pictures and labels for every pixel: cut, mirrored, rescaled and padded alike."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from zlib import compress, crc32

import cv2
import numpy as np
import pytest

from ir.errors import RoasteryError
from runtime.data.config import TransformConfig
from runtime.data.notes import DataNote
from runtime.data.opening import open_source
from runtime.data.sources.dense_image_data import DenseImageDataConfig
from runtime.data.sources.image_seg_data import ImageSegDataConfig

HEIGHT, WIDTH = 9, 13
PLACES = np.arange(HEIGHT * WIDTH, dtype=np.uint8).reshape(HEIGHT, WIDTH)
TOPS = ("data", "label", "dim")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures whose pixels all differ, and labels that are one of their channels."""
    made = tmp_path_factory.mktemp("pairs")
    places = PLACES
    for i in range(5):
        picture = np.stack([places + i, places, places[::-1]], axis=2)
        cv2.imwrite(str(made / f"p{i}.png"), picture)
        cv2.imwrite(str(made / f"l{i}.png"), places + i)
    write_palette(made / "grey_palette.png", [(v, v, v) for v in range(255, -1, -1)])
    write_palette(made / "colors.png", [(v, 255 - v, 0) for v in range(256)])
    cv2.imwrite(str(made / "wide.png"), np.zeros((4, 20, 3), np.uint8))
    pairs = [f"p{i}.png l{i}.png" for i in range(5)]
    (made / "pairs").write_text("\n".join(pairs) + "\n")
    (made / "one_line").write_text(" ".join(pairs))
    (made / "classes").write_text("p0.png 7\n\np1.png 200 further words\n")
    (made / "alone").write_text("p0.png\np1.png l1.png\n")
    return made


def write_palette(path: Path, colors: list[tuple[int, int, int]]) -> None:
    """A PNG whose pixels are PLACES, each a place in a palette."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))

    rows = b"".join(b"\0" + row.tobytes() for row in PLACES)
    header = struct.pack(">2I5B", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"PLTE", bytes(value for color in colors for value in color))
        + chunk(b"IDAT", compress(rows))
        + chunk(b"IEND", b"")
    )


def dense(**more: object) -> DenseImageDataConfig:
    return DenseImageDataConfig(**{"source": "pairs", "batch_size": 4, **more})  # type: ignore[arg-type]


def seg(transform: TransformConfig | None = None, **more: object) -> ImageSegDataConfig:
    plain = {"source": "pairs", "batch_size": 4, "tops": TOPS, "label_type": "PIXEL"}
    return ImageSegDataConfig(**{**plain, "transform": transform, **more})  # type: ignore[arg-type]


def batches(config: object, folder: Path, count: int, phase: str = "TRAIN") -> list:
    source = open_source(config, phase, 5, folder)  # type: ignore[arg-type]
    try:
        return [source.next().arrays for _ in range(count)]
    finally:
        source.close()


def rows(config: object, folder: Path, count: int, phase: str = "TRAIN") -> list:
    """(image, labels) of the first ``count`` pictures."""
    found = batches(config, folder, -(-count // 4), phase)
    return [(b[0][i], b[1][i, 0]) for b in found for i in range(len(b[0]))][:count]


def test_labels_are_cut_and_mirrored_as_the_pictures(folder: Path) -> None:
    config = dense(mirror=True, crop_height=4, crop_width=6)
    seen = set()
    for image, labels in rows(config, folder, 200, "TEST"):  # random in both phases
        np.testing.assert_array_equal(image[0], labels)
        mirrored = image[1, 0, 0] > image[1, 0, 1]
        straight = image[1][:, ::-1] if mirrored else image[1]
        row, column = divmod(int(straight[0, 0]), WIDTH)
        np.testing.assert_array_equal(
            straight,
            np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)[row : row + 4, column : column + 6],
        )
        seen.add((bool(mirrored), row, column))
    assert {s[0] for s in seen} == {False, True}
    assert {s[1] for s in seen} == set(range(6))
    assert {s[2] for s in seen} == set(range(8))


def test_mean_and_scale_are_for_pictures_alone(folder: Path) -> None:
    transform = TransformConfig(mean_value=(1, 2, 3), scale=0.5)
    plain, changed = (rows(dense(transform=t), folder, 4) for t in (None, transform))
    for (image, labels), (other, same) in zip(plain, changed, strict=True):
        np.testing.assert_array_equal(labels, same)
        np.testing.assert_array_equal(other, (image - np.float32([[[1]], [[2]], [[3]]])) * 0.5)


@pytest.mark.parametrize("make", [dense, seg])
def test_shuffling_goes_over_all_pictures(make, folder: Path) -> None:
    def order(**more: object) -> list[int]:
        return [int(labels[0, 0]) for _, labels in rows(make(**more), folder, 20)]

    assert order() == [0, 1, 2, 3, 4] * 4
    shuffled = order(shuffle=True)
    epochs = [shuffled[i : i + 5] for i in range(0, 20, 5)]
    assert all(sorted(epoch) == [0, 1, 2, 3, 4] for epoch in epochs)
    assert len(set(map(tuple, epochs))) > 1
    assert order(rand_skip=5)[0] != 0


def test_pairs_may_stand_on_one_line(folder: Path) -> None:
    for left, right in zip(
        rows(dense(), folder, 5), rows(dense(source="one_line"), folder, 5), strict=True
    ):
        np.testing.assert_array_equal(left[0], right[0])
        np.testing.assert_array_equal(left[1], right[1])


def test_labels_are_resized_without_mixing_classes(folder: Path) -> None:
    for make in (dense, seg):
        for image, labels in rows(make(new_height=18, new_width=26), folder, 4):
            assert image.shape == (3, 18, 26)
            wanted = PLACES.repeat(2, 0).repeat(2, 1) + int(labels[0, 0])
            np.testing.assert_array_equal(labels, wanted)


def test_a_class_number_fills_the_picture(folder: Path) -> None:
    config = seg(source="classes", label_type="IMAGE", batch_size=2)
    ((data, labels, size),) = batches(config, folder, 1)
    assert data.shape == (2, 3, HEIGHT, WIDTH) and labels.shape == (2, 1, HEIGHT, WIDTH)
    assert (labels[0] == 7).all() and (labels[1] == 200).all()
    assert size.tolist() == [[[[HEIGHT, WIDTH]]]] * 2


def test_without_labels_every_pixel_is_ignored(folder: Path) -> None:
    config = seg(source="alone", label_type="NONE", ignore_label=254)
    assert all((labels == 254).all() for _, labels in rows(config, folder, 4))
    (only,) = batches(seg(source="alone", label_type="NONE", tops=("data",)), folder, 1)[0]
    assert only.shape == (4, 3, HEIGHT, WIDTH)


@pytest.mark.parametrize("phase", ["TRAIN", "TEST"])
def test_small_pictures_are_padded(phase: str, folder: Path) -> None:
    transform = TransformConfig(
        crop_height=11, crop_width=8, mean_value=(0.3, 117.5, 123), scale=2, mirror=True
    )
    seen = set()
    for data, labels, size in batches(seg(transform), folder, 20, phase):
        assert size[:, 0, 0].tolist() == [[9, 8]] * 4
        for image, label in zip(data, labels[:, 0], strict=True):
            assert image.shape == (3, 11, 8)
            np.testing.assert_array_equal(image[:, HEIGHT:], 0)
            np.testing.assert_array_equal(label[HEIGHT:], 255)
            inside = label[:HEIGHT]
            np.testing.assert_array_equal(image[0, :HEIGHT], (inside - np.float32(0.3)) * 2)
            mirrored = inside[0, 0] > inside[0, 1]
            seen.add((bool(mirrored), int(image[1, 0, 7 if mirrored else 0] / 2 + 117.5)))
    assert seen == {
        (mirrored, column)
        for mirrored in (False, True)
        for column in (range(6) if phase == "TRAIN" else [2])
    }


def test_scale_factors(folder: Path) -> None:
    factors = (0.5, 1.0, 1.7)
    transform = TransformConfig(crop_size=20, scale_factors=factors)
    heights = set()
    for image, labels in rows(seg(transform), folder, 60):
        inside = labels != 255
        high, wide = inside.any(1).sum(), inside.any(0).sum()
        heights.add((int(high), int(wide)))
        np.testing.assert_array_equal(image[:, ~inside], 0)
    # Rounded down, in single precision.
    assert heights == {(4, 6), (9, 13), (15, 20)}
    centre = TransformConfig(crop_size=6, scale_factors=(2.0,))
    for image, labels in rows(seg(centre), folder, 8, "TEST"):
        assert labels[0, 0] % WIDTH >= 5 and image.shape == (3, 6, 6)


def test_a_palette_of_greys_is_read_as_greys(folder: Path) -> None:
    (folder / "greys").write_text("p0.png grey_palette.png")
    (_, labels), *_ = rows(dense(source="greys", batch_size=1), folder, 1)
    np.testing.assert_array_equal(labels, 255 - PLACES)


def test_what_is_said(folder: Path) -> None:
    said: list[DataNote] = []
    open_source(dense(shuffle=True, rand_skip=3), "TRAIN", 3, folder, notes=said.append)
    assert [re.sub("[0-2] data", "N data", str(note.text)) for note in said] == [
        "Opening file pairs",
        "Shuffling data",
        "A total of 5 examples.",
        "Skipping first N data points.",
        "output data size: 4,3,9,13",
    ]
    said.clear()
    open_source(seg(), "TRAIN", 3, folder, notes=said.append)
    assert [note.text for note in said] == [
        "Opening file pairs",
        "A total of 5 images.",
        "output data size: 4,3,9,13",
        "output label size: 4,1,9,13",
        "output data_dim size: 4,1,1,2",
    ]


LISTS = {
    "odd": "p0.png l0.png\np1.png",
    "sizes": "p0.png wide.png",
    "two_sizes": "p0.png l0.png wide.png wide.png",
    "lost_label": "p0.png lost.png",
    "text": "p0.png odd",
    "empty": " \n\n",
    "colors": "p0.png colors.png",
    "pictures": "p0.png p1.png",
}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (dense(source="odd"), "odd:2:1: picture 'p1.png' has no label picture"),
        (dense(source="nowhere"), "there is no image list '.*nowhere'"),
        (dense(source="empty"), "is empty"),
        (dense(source="sizes"), "is 9 high and 13 wide, its label picture 'wide.png' 4 and 20"),
        (dense(source="lost_label"), r"there is no image 'lost.png' at .*line 1"),
        (dense(source="text"), "cannot decode image 'odd'"),
        (dense(source="two_sizes"), "'wide.png' .* is 4 high and 20 wide, but image 'p0.png'"),
        (
            dense(source="colors"),
            r"'colors.png', is in colours: pixel \(0, 0\) is red 0, green 255",
        ),
        (seg(source="colors"), "brightness would be read as a class number"),
        (dense(source="pictures"), "'p1.png', is in colours"),
        (dense(batch_size=0), "batch_size is 0"),
        (dense(new_height=3), "new_height is 3 and new_width is 0"),
        (dense(crop_width=3), "crop_height is 0 and crop_width is 3"),
        (dense(crop_height=10, crop_width=3), "crop_height is 10 .* is 9 high and 13 wide"),
        (dense(mean_file="m"), "mean_file 'm' is not read from this block"),
        (dense(rand_skip=1 << 30), "but the list has 5 images"),
        (dense(transform=TransformConfig(mirror=True)), "mirror would change pictures and not"),
        (dense(transform=TransformConfig(crop_size=3)), "crop_size would change pictures and not"),
        (dense(transform=TransformConfig(mean_value=(1, 2))), "2 mean_value given"),
        (dense(tops=("data",)), "DenseImageData has 1 tops, 2 expected"),
        (seg(TransformConfig(mean_file="m")), "ImageSegData takes no mean_file"),
        (seg(TransformConfig(crop_size=3, crop_width=2)), "both crop_size and crop_height or"),
        (seg(TransformConfig(crop_height=3)), "crop_height is 3 and crop_width is 0"),
        (seg(TransformConfig(crop_size=-3)), "crop_size is -3"),
        (seg(TransformConfig(scale_factors=(2.0,))), "nothing cuts them to one"),
        (seg(TransformConfig(crop_size=3, scale_factors=(0.0,))), "above 0 and finite"),
        (seg(TransformConfig(crop_size=3, scale_factors=(1e9,))), "cannot be resized to"),
        (seg(TransformConfig(crop_size=3, scale_factors=(0.01,))), "cannot be resized to 0 x 0"),
        (seg(TransformConfig(crop_size=30, mean_value=(1, 2))), "2 mean_value given"),
        (seg(ignore_label=256), "ignore_label is 256"),
        (seg(label_type="IMAGE"), "'l0.png', the label of image 'p0.png' .* is no class number"),
        (seg(source="alone"), "alone:1:1: the line names no label picture"),
        (seg(source="alone", label_type="IMAGE"), "the line names no class number"),
        (seg(tops=("a", "b", "c", "d")), "ImageSegData has 4 tops"),
    ],
)
def test_refusals(config: object, message: str, folder: Path) -> None:
    for name, text in LISTS.items():
        (folder / name).write_text(text)
    with pytest.raises(RoasteryError) as caught:
        batches(config, folder, 1)
    assert re.search(message, str(caught.value)), caught.value
