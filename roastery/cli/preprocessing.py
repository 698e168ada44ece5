"""The flags of ``classify``, ``detect``, ``detect_objects`` and ``segment`` that say how pictures
become inputs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .command import Arguments, Flag, UsageError
from .compilation import LAYOUT_FLAG, PASSES_FLAG, PRECISION_FLAG, THREADS_FLAG
from .devices import DEVICE_BRIEF, DEVICES
from .nets import PYTHON_FLAG, python_layers
from .picture_net import PictureNet
from .reading import IMAGE_FLAG

if TYPE_CHECKING:
    import numpy as np

MODEL_FLAGS = (
    Flag("model_def", "the net: a deploy prototxt", metavar="FILE", required=True),
    Flag("pretrained_model", "its weights", metavar="FILE", required=True),
)

INPUT_FLAGS = (
    Flag("mean_file", "the mean to subtract, .npy or .binaryproto; none: nothing is subtracted",
         default="", metavar="FILE"),
    Flag("input_scale", "multiply inputs by this after all else", "float", metavar="X"),
    Flag("raw_scale", "multiply pictures, which are in [0, 1], by this before the mean is "
         "subtracted", "float", 255.0, metavar="X"),
    Flag("channel_swap", "the order of the channels; the default makes BGR of RGB, '' keeps it",
         default="2,1,0", metavar="N,N,N"),
    Flag("gpu", "run on a GPU", "bool", False, brief="run on a GPU"),
    IMAGE_FLAG,
    Flag("device", f"where to run: {DEVICES}; without it --gpu decides, then ROASTERY_DEVICE, then "
         "what the machine has", metavar="DEVICE", brief=DEVICE_BRIEF),
    PRECISION_FLAG,
    PASSES_FLAG,
    LAYOUT_FLAG,
    THREADS_FLAG,
    PYTHON_FLAG,
)  # fmt: skip


MEAN_VALUE_FLAG = Flag(
    "mean_value",
    "the mean to subtract: one value, or one for each channel in the net's order",
    default="",
    metavar="X,X,X",
)


def numbers(text: str, flag: str) -> list[int]:
    """``256,256`` as numbers."""
    try:
        return [int(word) for word in text.split(",") if word.strip()]
    except ValueError:
        raise UsageError(f"--{flag}={text}: must be whole numbers separated by commas") from None


def height_and_width(text: str, flag: str, more: str = "") -> tuple[int, int]:
    """``256,256`` as pixels. Raises UsageError, which tells ``more`` of what the flag takes."""
    found = numbers(text, flag)
    if len(found) != 2 or min(found) < 1:
        such = f", such as 256,256{more}"
        raise UsageError(f"--{flag}={text}: must be HEIGHT,WIDTH in pixels{such}")
    return found[0], found[1]


def mean_values(text: str, channels: int) -> np.ndarray | None:
    """``104,117,123`` as a value per channel; None for no text."""
    import math

    import numpy as np

    if not text:
        return None
    try:
        found = [float(word) for word in text.split(",")]
    except ValueError:
        found = [math.nan]
    if not all(map(math.isfinite, found)):
        raise UsageError(f"--mean_value={text}: must be numbers separated by commas")
    if len(found) not in (1, channels):
        raise UsageError(
            f"--mean_value={text}: {len(found)} values; the net's input has {channels} channels"
        )
    return np.array(found * (channels // len(found)), np.float32)


def requested_mean(path: str) -> np.ndarray | None:
    """The mean in a .npy or .binaryproto file, (channels, height, width) or per channel."""
    from frontends.caffemodel import read_blob

    from ..files.missing import missing
    from .arrays import load_npy

    if not path:
        return None
    if not Path(path).is_file():
        raise missing("mean file", path)
    if path.endswith(".npy"):
        return load_npy(path)
    mean = read_blob(Path(path))
    return mean[0] if mean.ndim == 4 else mean


def transformer_options(arguments: Arguments, channels: int) -> dict[str, Any]:
    """What the flags say to Classifier, Detector and Segmenter."""
    return picture_options(arguments, PictureNet(None, channels))


def picture_options(arguments: Arguments, net: PictureNet) -> dict[str, Any]:
    """As :func:`transformer_options`, with what the net's data layer says."""
    channels = net.channels
    stated = ",".join(map(repr, net.mean))
    values = mean_values(getattr(arguments, MEAN_VALUE_FLAG.name, "") or stated, channels)
    if values is not None and arguments.mean_file:
        raise UsageError("--mean_file and --mean_value: give one of the two")
    swap = numbers(arguments.channel_swap, "channel_swap")
    if channels != 3 and "channel_swap" not in arguments.given:
        swap = []
    return {
        "mean": values if values is not None else requested_mean(arguments.mean_file),
        "input_scale": net.scale if arguments.input_scale is None else arguments.input_scale,
        "raw_scale": arguments.raw_scale,
        "channel_swap": swap or None,
        "device": arguments.device or ("cuda" if arguments.gpu else None),
        "precision": arguments.precision,
        "passes": arguments.passes,
        "layout": arguments.layout,
        "threads": arguments.threads,
        "allow_python": python_layers(arguments),
    }
