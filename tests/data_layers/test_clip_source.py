"""Clips of temporal segment networks: which frames are read, cut and mirrored, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import roastery
from ir.errors import RoasteryError
from runtime.data.augment.scaled_crops import crop_sizes, fixed_corners
from runtime.data.config import TransformConfig
from runtime.data.frame_names import frame_name, pattern_mistake
from runtime.data.notes import DataNote
from runtime.data.opening import open_source
from runtime.data.sources.clip_data import ClipDataConfig, ClipSource

HEIGHT, WIDTH = 10, 12
FRAMES = {"long": 17, "short": 3, "even": 12}


def value(clip: str, frame: int, plane: int) -> int:
    return 30 * list(FRAMES).index(clip) + frame + 100 * plane


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips whose frames are each of one value, which tells the clip, the frame and the plane."""
    made = tmp_path_factory.mktemp("clips")
    for clip, count in FRAMES.items():
        (made / clip).mkdir()
        for frame in range(1, count + 1):
            planes = [np.full((HEIGHT, WIDTH), value(clip, frame, p), np.uint8) for p in range(2)]
            picture = np.stack([*planes, planes[0] // 2], axis=2)
            cv2.imwrite(str(made / clip / f"image_{frame:04d}.png"), picture)
            for letter, plane in zip("xy", planes, strict=True):
                cv2.imwrite(str(made / clip / f"{letter}{frame}.png"), plane)
    lines = [f"{clip} {count} {i}" for i, (clip, count) in enumerate(FRAMES.items())]
    (made / "list.txt").write_text("\n".join(lines) + "\n")
    (made / "one_line").write_text(" ".join(lines))
    (made / "long.txt").write_text(lines[0])
    (made / "lost.txt").write_text("long 30 0\n")
    (made / "no_number").write_text("long 17 0\neven some 1\n")
    (made / "cut").write_text("long 17 0\neven 12\n")
    (made / "empty").write_text("\n")
    random = np.random.default_rng(0)
    (made / "noise").mkdir()
    noise = random.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    cv2.imwrite(str(made / "noise" / "image_0001.png"), noise)
    (made / "noise.txt").write_text("noise 1 5\n")
    return made


def clips(folder: Path, phase: str = "TEST", **settings: Any) -> ClipSource:
    plain = {"source": "list.txt", "batch_size": 1, "name_pattern": "%c%d.png"}
    source = open_source(ClipDataConfig(**{**plain, **settings}), phase, 3, folder)  # type: ignore[arg-type]
    assert isinstance(source, ClipSource)
    return source


def read(folder: Path, count: int, phase: str = "TEST", **settings: Any) -> list[list[int]]:
    """What the planes of clips are filled with."""
    source = clips(folder, phase, **settings)
    found = []
    for _ in range(count):
        data, labels = source.next().arrays
        assert labels.shape == (1, 1, 1, 1)
        assert np.ptp(data, axis=(2, 3)).max() == 0
        found.append([int(v) for v in data[0, :, 0, 0]])
    return found


def test_flow_of_the_middle(folder: Path) -> None:
    def flow(clip: str, *frames: int) -> list[int]:
        return [value(clip, frame, plane) for frame in frames for plane in range(2)]

    wanted = [
        flow("long", 4, 5, 6, 12, 13, 14),  # two parts of 8: (8 - 3 + 1) / 2 = 3 frames before
        flow("short", 1, 2, 3, 1, 2, 3),  # shorter than asked: from its first frame, each time
        flow("even", 3, 4, 5, 9, 10, 11),
    ]
    assert read(folder, 4, new_length=3, num_segments=2) == [*wanted, wanted[0]]


def test_flow_of_anywhere(folder: Path) -> None:
    found = read(folder, 200, "TRAIN", source="long.txt", new_length=2, num_segments=2)
    firsts = [{planes[i] for planes in found} for i in (0, 4)]
    assert firsts == [
        {value("long", frame, 0) for frame in range(1, 8)},
        {value("long", frame, 0) for frame in range(9, 16)},
    ]
    for planes in found:
        assert planes[2] == planes[0] + 1 and planes[1] == planes[0] + 100


def test_pictures(folder: Path) -> None:
    settings = {"modality": "RGB", "name_pattern": "image_%04d.png", "source": "long.txt"}
    first = value("long", 9, 0)
    assert read(folder, 1, **settings) == [[first, first + 100, first // 2]]
    grey = read(folder, 1, **settings, grayscale=True, num_segments=2)
    assert len(grey[0]) == 2


def test_a_list_on_one_line_and_resized(folder: Path) -> None:
    source = clips(folder, source="one_line", new_height=5, new_width=7, batch_size=3)
    assert source.shapes() == [(3, 2, 5, 7), (3, 1, 1, 1)]
    assert source.next().arrays[1].ravel().tolist() == [0, 1, 2]


def test_mean_values_of_groups_of_channels(folder: Path) -> None:
    plain, less = (
        read(folder, 1, new_length=2, transform=TransformConfig(mean_value=mean))[0]
        for mean in ((), (1.0, 5.0))
    )
    assert less == [v - (1, 5)[i % 2] for i, v in enumerate(plain)]
    with pytest.raises(RoasteryError, match="3 mean_value given"):
        clips(folder, new_length=2, transform=TransformConfig(mean_value=(1, 2, 3)))


def test_crop_sizes() -> None:
    config = TransformConfig(multi_scale=True, crop_size=224)
    full, eighth, quarter = 256, 224, 192
    assert crop_sizes(256, 340, (224, 224), config)[:5] == [
        (full, full),
        (full, eighth),
        (eighth, full),
        (eighth, eighth),
        (eighth, quarter),
    ]
    assert crop_sizes(256, 340, (224, 224), config)[-1] == (168, 168)
    squares = TransformConfig(multi_scale=True, max_distort=0, scale_ratios=(1, 0.875))
    assert crop_sizes(256, 340, (224, 224), squares) == [(256, 256), (224, 224)]
    # 255 * 0.875 is 223: so near to 224 that it is taken for it.
    assert crop_sizes(255, 340, (224, 224), squares) == [(255, 255), (224, 224)]
    assert crop_sizes(252, 340, (224, 224), squares) == [(252, 252), (220, 220)]


def test_corners() -> None:
    assert fixed_corners(10, 22, more=False) == [(0, 0), (0, 20), (8, 0), (8, 20), (4, 10)]
    more = fixed_corners(10, 22, more=True)
    assert len(set(more)) == 13
    assert (2, 15) in more and (6, 5) in more and (4, 20) in more


def noise(folder: Path) -> np.ndarray:
    picture = cv2.imread(str(folder / "noise" / "image_0001.png"))
    assert picture is not None
    return picture


def test_scaled_crops_are_windows_resized(folder: Path) -> None:
    """Every crop is one of those of the fork: its size, its place, mirrored or not."""
    picture = noise(folder)
    transform = TransformConfig(crop_size=8, multi_scale=True, fix_crop=True, mirror=True)
    allowed = {}
    for high, wide in crop_sizes(HEIGHT, WIDTH, (8, 8), transform):
        for row, column in fixed_corners(HEIGHT - high, WIDTH - wide, more=False):
            part = cv2.resize(picture[row : row + high, column : column + wide], (8, 8))
            for step in (1, -1):
                image = part[:, ::step].transpose(2, 0, 1).astype(np.float32)
                allowed[image.tobytes()] = (high, wide, row, column, step)
    settings = {"modality": "RGB", "name_pattern": "image_%04d.png", "source": "noise.txt"}
    source = clips(folder, "TRAIN", **settings, transform=transform)
    seen = {allowed[source.next().arrays[0][0].tobytes()] for _ in range(400)}
    assert {part[:2] for part in seen} == {size[:2] for size in allowed.values()}
    assert {part[4] for part in seen} == {1, -1}
    test = clips(folder, "TEST", **settings, transform=transform)
    for _ in range(5):  # in the middle, as Caffe's; mirrored at random
        image = test.next().arrays[0][0].transpose(1, 2, 0)
        middle = picture[1:9, 2:10]
        assert any(np.array_equal(image, middle[:, ::step]) for step in (1, -1))


def test_flow_turns_round_in_a_mirror(folder: Path) -> None:
    transform = TransformConfig(is_flow=True, mirror=True, mean_value=(1.0, 2.0), scale=0.5)
    source = clips(folder, "TEST", source="long.txt", transform=transform)
    x, y = value("long", 9, 0), value("long", 9, 1)
    found = {tuple(source.next().arrays[0][0, :, 0, 0].tolist()) for _ in range(40)}
    assert found == {((x - 1) / 2, (y - 2) / 2), ((255 - x - 1) / 2, (y - 2) / 2)}


def test_the_mean_image_stays_where_it_is(tmp_path: Path, folder: Path) -> None:
    """With multi_scale, whatever was cropped, the upper left corner of the mean is subtracted."""
    from roastery.caffe import io

    mean = np.arange(3 * HEIGHT * WIDTH, dtype=np.float32).reshape(3, HEIGHT, WIDTH)
    blob = io.array_to_blobproto(mean[np.newaxis])
    (tmp_path / "mean.binaryproto").write_bytes(blob.SerializeToString())
    settings = {"modality": "RGB", "name_pattern": "image_%04d.png", "source": "noise.txt"}
    for scaled, (row, column) in ((True, (0, 0)), (False, (1, 2))):
        transform = TransformConfig(
            crop_size=8, multi_scale=scaled, mean_file=str(tmp_path / "mean.binaryproto")
        )
        image = clips(folder, **settings, transform=transform).next().arrays[0][0]
        middle = noise(folder)[1:9, 2:10].transpose(2, 0, 1).astype(np.float32)
        np.testing.assert_array_equal(image, middle - mean[:, row : row + 8, column : column + 8])


@pytest.mark.parametrize(
    ("pattern", "values", "name"),
    [
        ("image_%04d.jpg", (7,), "image_0007.jpg"),
        ("flow_%c_%04d.jpg", ("x", 12), "flow_x_0012.jpg"),
        ("%c/%i.png", ("y", 3), "y/3.png"),
        ("100%%_%3d", (5,), "100%_  5"),
        ("same.png", ("x", 3), "same.png"),
    ],
)
def test_frame_names(pattern: str, values: tuple[str | int, ...], name: str) -> None:
    assert pattern_mistake(pattern, "cd"[2 - len(values) :]) is None
    assert frame_name(pattern, *values) == name


@pytest.mark.parametrize(
    "pattern", ["%s.png", "%d%d.png", "%c.png", "%n", "%*d", "%", "%999999999d", "%(a)d", "%5"]
)
def test_patterns_that_name_nothing(pattern: str) -> None:
    assert pattern_mistake(pattern, "d")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0"),
        ({"new_length": 0}, "new_length is 0"),
        ({"num_segments": 0}, "num_segments is 0"),
        ({"new_length": 4_000_000_000, "num_segments": 4_000_000_000}, "values need"),
        ({"mirror": True}, "mirror is not read from this block"),
        ({"scale": 0.5}, "scale is not read from this block"),
        ({"name_pattern": "%d.png"}, "name_pattern '%d.png': its values are a number"),
        ({"source": "gone"}, "there is no image list '.*gone'"),
        ({"source": "empty"}, "is empty"),
        ({"source": "cut"}, "the last clip has no frames and label"),
        ({"source": "no_number"}, "number of frames 'some' is not a whole number"),
        ({"source": "lost.txt", "new_length": 29}, "x1[89].png"),
        ({"new_height": 3}, "new_height is 3 and new_width is 0"),
        ({"transform": TransformConfig(crop_size=11)}, "crop_size is 11, but clip 'long'"),
        ({"transform": TransformConfig(multi_scale=True, scale_ratios=(1.5,))}, "1.5 is no part"),
        ({"transform": TransformConfig(multi_scale=True, max_distort=-1)}, "max_distort is -1"),
        ({"tops": ("data",)}, "VideoData has 1 tops, 2 expected"),
    ],
)
def test_refused(settings: dict[str, Any], message: str, folder: Path) -> None:
    with pytest.raises(RoasteryError, match=message):
        clips(folder, **settings).next()


def test_nothing_is_left_of_a_small_picture(folder: Path) -> None:
    transform = TransformConfig(crop_size=8, multi_scale=True, scale_ratios=(1, 0.05))
    with pytest.raises(RoasteryError, match="at one of its scales nothing is left"):
        clips(folder, "TRAIN", transform=transform)


def test_what_it_says(folder: Path) -> None:
    said: list[DataNote] = []
    config = ClipDataConfig(
        source="list.txt",
        batch_size=2,
        name_pattern="%c%d.png",
        transform=TransformConfig(multi_scale=True),
    )
    open_source(config, "TRAIN", 1, folder, notes=said.append).close()
    assert [note.text for note in said] == [
        "Multi scale augmentation is only activated with crop_size set.",
        "Opening file: list.txt",
        "A total of 3 videos.",
        "output data size: 2,2,10,12",
    ]


NET = """layer {{ name: "data" type: "VideoData" top: "data" top: "label"
  video_data_param {{ source: "{list}" batch_size: 3 new_length: 2 name_pattern: "%c%d.png" }}
  transform_param {{ crop_size: 8 mirror: true fix_crop: true more_fix_crop: true multi_scale: true
    scale_ratios: [1, .875] is_flow: true mean_value: [128, 128] }} }}
layer {{ name: "fc" type: "InnerProduct" bottom: "data" top: "fc" inner_product_param {{
  num_output: 3 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" }}
"""


def test_a_net(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "net.prototxt").write_text(NET.format(list="list.txt"))
    net = roastery.compile(folder / "net.prototxt", phase="TRAIN", device="reference")
    assert np.isfinite(net()["loss"])
