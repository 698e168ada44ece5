"""SegData: pictures and labels scaled, cut and mirrored alike, one a batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import roastery
from ir.errors import RoasteryError
from runtime.data.config import TransformConfig
from runtime.data.opening import open_source
from runtime.data.sources.seg_data import SegDataConfig, SegSource

HEIGHT, WIDTH = 18, 26


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture whose first channel is its labels, one that is half of one class, and one
    without any other."""
    made = tmp_path_factory.mktemp("seg")
    (made / "data").mkdir()
    places = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
    labels = (places // 2 % 250).astype(np.uint8)
    cv2.imwrite(str(made / "data" / "p.png"), np.stack([labels, labels // 2, labels], axis=2))
    cv2.imwrite(str(made / "data" / "l.png"), labels)
    half = np.zeros((16, 64), np.uint8)
    half[:, 40:] = 7
    cv2.imwrite(str(made / "data" / "half.png"), half)
    cv2.imwrite(str(made / "data" / "one.png"), np.full((16, 64), 3, np.uint8))
    (made / "list").write_text("/p.png /l.png\n")
    (made / "halves").write_text("/half.png /half.png\n")
    (made / "ones").write_text("/one.png /one.png\n")
    (made / "unequal").write_text("/p.png /half.png\n")
    return made


def seg(folder: Path, transform: TransformConfig, phase: str = "TRAIN", **more: Any) -> SegSource:
    config = SegDataConfig(**{"source": "list", "root_dir": "data", "transform": transform, **more})
    source = open_source(config, phase, 5, folder)  # type: ignore[arg-type]
    assert isinstance(source, SegSource)
    return source


def test_cut_to_multiples_of_the_stride(folder: Path) -> None:
    for transform, size in (
        (TransformConfig(), (18, 26)),
        (TransformConfig(stride=8), (16, 24)),
        (TransformConfig(stride=8, upper_size=20), (16, 20)),
        (TransformConfig(stride=8, upper_height=10, upper_width=7), (10, 7)),
        (TransformConfig(stride=8, upper_height=10), (16, 24)),
        (TransformConfig(stride=8, upper_size=9, upper_height=10, upper_width=7), (9, 9)),
    ):
        source = seg(folder, transform)
        assert source.shapes() == [(1, 3, *size), (1, 1, *size)]
        data, labels = source.next().arrays
        assert (data.shape, labels.shape) == ((1, 3, *size), (1, 1, *size))
        np.testing.assert_array_equal(data[0, 0], labels[0, 0])


@pytest.mark.parametrize("phase", ["TRAIN", "TEST"])
def test_places_and_mirror_are_random_in_both_phases(phase: str, folder: Path) -> None:
    source = seg(folder, TransformConfig(stride=8, mirror=True), phase)
    whole = cv2.imread(str(folder / "data" / "l.png"), cv2.IMREAD_GRAYSCALE)
    assert whole is not None
    allowed = {
        whole[row : row + 16, column : column + 24][:, ::step].astype(np.float32).tobytes(): (
            row,
            column,
            step,
        )
        for row in range(3)
        for column in range(3)
        for step in (1, -1)
    }
    seen = {allowed[source.next().arrays[1].tobytes()] for _ in range(200)}
    assert seen == set(allowed.values())


def test_scales(folder: Path) -> None:
    source = seg(folder, TransformConfig(scale_ratios=(0.5, 1.5)))
    sizes = [source.next().arrays[0].shape[2:] for _ in range(300)]
    heights = [high for high, _ in sizes]
    assert (min(heights), max(heights)) == (9, 27)
    assert all(abs(wide / high - WIDTH / HEIGHT) < 0.15 for high, wide in sizes)
    fixed = seg(folder, TransformConfig(scale_ratios=(0.75, 0.75), mean_value=(9,), scale=0.5))
    data, labels = fixed.next().arrays
    picture = cv2.imread(str(folder / "data" / "p.png"))
    whole = cv2.imread(str(folder / "data" / "l.png"), cv2.IMREAD_GRAYSCALE)
    assert picture is not None and whole is not None
    size = (20, 14)  # 19.5 and 13.5, rounded up
    wanted = cv2.resize(picture, size).transpose(2, 0, 1).astype(np.float32)
    np.testing.assert_array_equal(data[0], (wanted - 9) * 0.5)
    np.testing.assert_array_equal(
        labels[0, 0], cv2.resize(whole, size, interpolation=cv2.INTER_NEAREST)
    )
    single = seg(folder, TransformConfig(scale_ratios=(0.5,)))  # one of them alone does nothing
    assert single.next().arrays[0].shape == (1, 3, HEIGHT, WIDTH)


def test_balance_draws_anew(folder: Path) -> None:
    transform = TransformConfig(upper_size=16)

    def lopsided(**more: Any) -> int:
        source = seg(folder, transform, source="halves", **more)
        means = [float((source.next().arrays[1] == 7).mean()) for _ in range(100)]
        return sum(not 0.2 <= mean <= 0.8 for mean in means)

    assert lopsided() > 30
    assert lopsided(balance=True) < 20
    ones = seg(folder, transform, source="ones", balance=True)  # drawn ten times, then taken
    assert (ones.next().arrays[1] == 3).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stride": 0}, "stride is 0"),
        ({"stride": 19}, "is 18 high and 26 wide: less than the stride 19"),
        ({"upper_size": 0}, "upper_size is 0"),
        ({"scale_ratios": (1.2, 0.8)}, "scale_ratios are 1.2 and 0.8"),
        ({"scale_ratios": (0.0, 0.8)}, "scale_ratios are above 0"),
        ({"scale_ratios": (0.01, 0.01)}, "cannot be resized to 0 x 0 pixels"),
        ({"scale_ratios": (1e9, 1e9)}, "cannot be resized"),
        ({"mean_file": "m"}, "SegData takes no mean_file"),
        ({"crop_size": 5}, "SegData does not read crop_size"),
        ({"mean_value": (1.0, 2.0)}, "2 mean_value given"),
    ],
)
def test_refused(settings: dict[str, Any], message: str, folder: Path) -> None:
    with pytest.raises(RoasteryError, match=message):
        seg(folder, TransformConfig(**settings))


def test_sizes_must_agree(folder: Path) -> None:
    with pytest.raises(RoasteryError, match="is 18 high and 26 wide, its label picture"):
        seg(folder, TransformConfig(), source="unequal")


NET = """layer { name: "data" type: "SegData" top: "data" top: "label"
  seg_data_param { source: "list" root_dir: "data" shuffle: true }
  transform_param { mirror: true scale_ratios: 0.5 scale_ratios: 1.5 stride: 4
    mean_value: [104, 117, 123] } }
layer { name: "score" type: "Convolution" bottom: "data" top: "score" convolution_param {
  num_output: 256 kernel_size: 1 weight_filler { type: "gaussian" std: 0.001 } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "loss" }
"""


def test_a_net_at_changing_sizes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "net.prototxt").write_text(NET)
    net = roastery.compile(folder / "net.prototxt", phase="TRAIN", device="reference")
    assert all(np.isfinite(net()["loss"]) for _ in range(4))
