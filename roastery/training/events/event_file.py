"""An event file of TensorBoard, written as things happen: no thread, no queue."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from ir.errors import RoasteryError

from .png import png

_EVERY = 2.0
"""Seconds after which what was written reaches the disk."""

_BINS = 60


def check_writer() -> None:
    """Raises RoasteryError where the package that writes events is not installed."""
    try:
        import tensorboardX  # noqa: F401
    except ImportError as error:
        raise RoasteryError(
            "writing events for TensorBoard needs tensorboardX, which is not installed",
            hint="pip install roastery[tensorboard]",
        ) from error


class EventFile:
    """One more file in a folder of events.

    Readers leave out what earlier files of the folder say of ``step`` and later ones: a run that
    goes on from a snapshot takes their place.

    Its methods raise OSError where the file cannot be written.

    Args:
        folder: is made if it is missing. step: the first that follows.

    Raises RoasteryError where there can be no such file.
    """

    def __init__(self, folder: str, step: int) -> None:
        check_writer()
        from tensorboardX import event_file_writer, summary
        from tensorboardX.proto import event_pb2, summary_pb2

        self._events, self._summary, self._messages = event_pb2, summary, summary_pb2
        self._flushed = time.monotonic()
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
            # Readers take the files in the order of their names.
            ending = f".{time.time_ns()}"
            self._file = event_file_writer.EventsWriter(str(Path(folder) / "events"), ending)
            session = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
            self._write(step, session_log=session)
            self._file.flush()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise RoasteryError(f"cannot write events into '{folder}': {reason}") from error
        self.folder = folder

    def scalar(self, tag: str, step: int, value: float) -> None:
        """A number; NaN and infinities too."""
        self._put(step, self._summary.scalar(tag, float(value)))

    def histogram(self, tag: str, step: int, values: np.ndarray) -> None:
        """How values are spread, of those that are finite."""
        finite = values[np.isfinite(values)].astype(np.float64).ravel()
        if finite.size:
            self._put(step, self._summary.histogram(tag, finite, _BINS))

    def picture(self, tag: str, step: int, pixels: np.ndarray) -> None:
        """``pixels``: (height, width, 3), uint8, red first."""
        height, width, _ = pixels.shape
        made = self._messages.Summary.Image(
            height=height, width=width, colorspace=3, encoded_image_string=png(pixels)
        )
        self._put(step, self._messages.Summary(value=[{"tag": tag, "image": made}]))

    def flush(self) -> None:
        """Let readers see what was written."""
        self._flushed = time.monotonic()
        self._file.flush()

    def close(self) -> None:
        """Nothing more is written."""
        self._file.close()

    def _put(self, step: int, summary: Any) -> None:
        self._write(step, summary=summary)
        if time.monotonic() - self._flushed > _EVERY:
            self.flush()

    def _write(self, step: int, **what: Any) -> None:
        self._file.write_event(self._events.Event(wall_time=time.time(), step=step, **what))
