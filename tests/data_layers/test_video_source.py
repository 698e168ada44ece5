"""Videos as OpenCV reads them, and the end of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from every_source import make_video

from frontends.prototxt import parse_text
from ir.errors import RoasteryError
from roastery.probing.data_config import source_config
from runtime.data.config import TransformConfig
from runtime.data.opening import open_source
from runtime.data.sources.video_data import VideoDataConfig, VideoSource
from tests.support.lowering import program_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("video")
    make_video(folder / "v.avi", frames=11)
    return folder


def frames(folder: Path) -> np.ndarray:
    capture = cv2.VideoCapture(str(folder / "v.avi"))
    found = []
    while True:
        done, frame = capture.read()
        if not done:
            return np.stack(found).transpose(0, 3, 1, 2).astype(np.float32)
        found.append(frame)


def opened(folder: Path, **settings: Any) -> VideoSource:
    config = VideoDataConfig(**{"video_type": "VIDEO", "video_file": "v.avi", **settings})
    source = open_source(config, "TEST", 1, folder)
    assert isinstance(source, VideoSource)
    return source


@pytest.mark.parametrize("skip", [0, 1, 3])
def test_frames_in_order(skip: int, folder: Path) -> None:
    wanted = frames(folder)[skip :: skip + 1]
    source = opened(folder, batch_size=2, skip_frames=skip)
    for i in range(len(wanted) // 2):
        assert source.shapes() == [(2, 3, 14, 18), (2,)]
        data, labels = source.next().arrays
        np.testing.assert_array_equal(data, wanted[2 * i : 2 * i + 2])
        assert not labels.any()
    with pytest.raises(RoasteryError, match=r"'v.avi' has ended after \d+ frames") as error:
        source.next()
    assert f"{len(wanted) // 2} batches" in (error.value.hint or "")
    source.close()


def test_transformed(folder: Path) -> None:
    transform = TransformConfig(crop_h=10, crop_w=6, mean_value=(100.0,), scale=0.5)
    source = opened(folder, batch_size=1, transform=transform, tops=("data",))
    wanted = (frames(folder)[:1, :, 2:12, 6:12] - 100) * 0.5
    np.testing.assert_array_equal(source.next().arrays[0], wanted)
    source.close()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0"),
        ({"video_file": ""}, "no video_file is given"),
        ({"video_file": "gone.avi"}, "there is no video 'gone.avi'"),
        ({"video_file": "."}, "cannot read the video '.': Is a directory"),
        ({"video_file": "text.avi"}, "OpenCV cannot open video 'text.avi'"),
        ({"video_type": "WEBCAM", "device_id": 987}, "there is no camera /dev/video987"),
        ({"video_type": "WEBCAM", "device_id": -1}, "device_id is -1"),
        ({"transform": TransformConfig(crop_size=15)}, "crop_size is 15, but a frame of video"),
    ],
)
def test_refused(settings: dict[str, Any], message: str, folder: Path) -> None:
    (folder / "text.avi").write_text("no video")
    with pytest.raises(RoasteryError, match=message):
        opened(folder, **{"batch_size": 1, **settings})


def test_batch_size_is_data_params() -> None:
    net = parse_text(
        'layer { name: "v" type: "VideoData" top: "x" data_param { batch_size: 3 } '
        'video_data_param { video_type: VIDEO video_file: "v.avi" } }',
        "NetParameter",
    )
    config = source_config(net.layer[0])
    assert isinstance(config, VideoDataConfig)
    assert (config.batch_size, config.video_type, config.video_file) == (3, "VIDEO", "v.avi")


def test_one_of_two_forks() -> None:
    net = parse_text(
        'layer { name: "v" type: "VideoData" top: "x" '
        'video_data_param { source: "list.txt" video_file: "v.avi" } }',
        "NetParameter",
    )
    with pytest.raises(RoasteryError, match="both source and video_file are given"):
        program_of(net, "TEST")
