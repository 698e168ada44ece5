"""VideoData: the pictures of a video or a camera. weiliu89/caffe: video_data_layer.cpp.

Frames come one after the other and are read while batches are planned, in order; what is done to
them is done on any thread.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from roastery.files.missing import cannot_read
from roastery.files.regular_file import check_regular

from ..config import OpenOptions, SourceConfig
from ..image_codec import ImageError, import_cv2
from ..notes import NoteKind
from ..picture_source import PictureSource
from ..room import check_batch
from ..transform import Transformer

SIZE = NoteKind("video_data_layer.cpp", "output data size: {shape}")


@dataclass(frozen=True, kw_only=True)
class VideoDataConfig(SourceConfig):
    """VideoData: frames of ``video_file``, or of the camera ``device_id``.

    ``skip_frames`` frames are passed over before each that is taken. Of several ranks each has a
    camera of its own.
    """

    kind = "VideoData"
    reads = "video"
    labelled = True
    from_block = MappingProxyType({"batch_size": "data_param"})

    batch_size: int = 0
    video_type: str = "WEBCAM"
    device_id: int = 0
    video_file: str = ""
    skip_frames: int = 0
    prefetch: int = 4

    @property
    def can_take_turns(self) -> bool:
        return self.video_type != "WEBCAM"

    def missing(self) -> str | None:
        if self.video_type == "WEBCAM":
            device = f"/dev/video{self.device_id}"
            return None if Path(device).exists() else f"camera '{device}'"
        if not self.video_file:
            return self.reads
        return None if Path(self.video_file).exists() else f"video '{self.video_file}'"

    def open(self, options: OpenOptions) -> VideoSource:
        return VideoSource(self, options)


class VideoSource(PictureSource[np.ndarray]):
    """Batches of consecutive frames. The end of a video is an error: there are no more batches."""

    def __init__(self, config: VideoDataConfig, options: OpenOptions) -> None:
        super().__init__(config, options, config.batch_size)
        self.config = config
        self.check_top_count((1, 2))
        self.check_batch_size(config.batch_size, "data_param")
        self.transformer = Transformer(
            config, options, self.draws, self.share.whole(config.batch_size)
        )
        self._camera = config.video_type == "WEBCAM"
        # What a camera shows by now is wanted, not what it showed some batches ago.
        self.reads_ahead = not self._camera
        self._path = options.root / config.video_file
        self._passed = 0
        self._waiting: np.ndarray | None = None
        self._capture = self._opened()
        try:
            self._first = self._frame()
            self._waiting, self._passed = self._first, 0
            sizes = self.next_sizes()
            check_batch(config, config.batch_size, [sizes, ()], planned=self._first.nbytes)
        except BaseException:
            self._capture.release()
            raise
        self.notes(SIZE(shape=",".join(map(str, (config.batch_size, *sizes)))))

    def take(self, number: int) -> np.ndarray:
        self.pass_to(number)
        for _ in range(self.config.skip_frames):
            self._pass_over()
        return self._frame()

    def pass_to(self, number: int) -> None:
        while self._passed < number * (self.config.skip_frames + 1):
            self._pass_over()

    def pixels(self, entry: np.ndarray, number: int) -> np.ndarray:
        try:
            return self.transformer.prepared(entry, number)
        except ImageError as error:
            raise self.error(f"{self.name(entry)} cannot be used: {error}") from error

    def label(self, entry: np.ndarray) -> int:
        return 0

    def name(self, entry: np.ndarray) -> str:
        return f"a frame of {self._name()}"

    def next_sizes(self) -> tuple[int, int, int]:
        """By the first frame."""
        return self.transformer.output_shape(
            self.pixels(self._first, self.next_numbers().start).shape, self.name(self._first)
        )

    def move_to(self, position: Mapping[str, Any]) -> None:
        super().move_to(position)
        if self._camera:
            self._passed = self._number * (self.config.skip_frames + 1)
            return
        self._capture.release()
        self._capture = self._opened()
        self._waiting = None
        self._passed = 0
        self.pass_to(self._number)

    def close(self) -> None:
        self._capture.release()

    # --- frames -----------------------------------------------------------------------

    def _opened(self) -> Any:
        """The video or camera, from its first frame on."""
        config = self.config
        cv2 = import_cv2(config.place)
        if self._camera:
            device = f"/dev/video{config.device_id}"
            if config.device_id < 0 or not Path(device).exists():
                raise self.error(
                    f"device_id is {config.device_id}, and there is no camera {device}",
                    'to read a file, set video_type: VIDEO and video_file: "FILE"',
                    field="device_id",
                )
            capture = cv2.VideoCapture(config.device_id)
        else:
            if not config.video_file:
                raise self.error(
                    "no video_file is given",
                    'set video_data_param { video_type: VIDEO video_file: "FILE" }',
                    field="video_file",
                )
            try:
                check_regular(self._path, config.at("video_file"))
            except OSError as error:
                lost = cannot_read("video", config.video_file, error)
                raise self.error(lost.message, lost.hint, field="video_file") from error
            # A name with a slash in front is no address, and no pattern of numbered pictures.
            capture = cv2.VideoCapture(os.path.abspath(self._path))
        if not capture.isOpened():
            capture.release()
            field = "device_id" if self._camera else "video_file"
            raise self.error(f"OpenCV cannot open {self._name()}", field=field)
        return capture

    def _pass_over(self) -> None:
        if self._waiting is not None:
            self._waiting = None
        elif not self._capture.grab():
            raise self._ended()
        self._passed += 1

    def _frame(self) -> np.ndarray:
        """The next frame: (height, width, 3), BGR."""
        frame, self._waiting = self._waiting, None
        if frame is None:
            done, frame = self._capture.read()
            if not done or frame is None:
                raise self._ended()
        self._passed += 1
        return frame

    def _ended(self) -> Exception:
        if self._camera:
            return self.error(f"{self._name()} gives no picture")
        if not self._passed:
            return self.error(f"{self._name()} has no frame that can be read", field="video_file")
        batches = self._passed // (self.config.batch_size * (self.config.skip_frames + 1))
        return self.error(
            f"{self._name()} has ended after {self._passed} frames",
            f"they are {batches} batches: ask for at most so many iterations",
            field="video_file",
        )

    def _name(self) -> str:
        if self._camera:
            return f"camera {self.config.device_id}"
        return f"video '{self.config.video_file}'"
