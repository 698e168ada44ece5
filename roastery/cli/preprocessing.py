"""The flags of ``classify``, ``detect`` and ``segment`` that say how pictures become inputs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .command import Arguments, Flag, UsageError
from .devices import DEVICES, PRECISION_FLAG
from .nets import IMAGE_FLAG, PYTHON_FLAG, python_layers
from .passes import LAYOUT_FLAG, PASSES_FLAG, THREADS_FLAG

if TYPE_CHECKING:
    import numpy as np

    from frontends.prototxt import Message

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
    Flag("gpu", "run on a GPU", "bool", False),
    IMAGE_FLAG,
    Flag("device", f"where to run: {DEVICES}; without it --gpu decides, then ROASTERY_DEVICE, then "
         "what the machine has", metavar="DEVICE"),
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


def picture_files(names: Iterable[str], extension: str) -> list[Path]:
    """The files of these names, and the pictures in folders of these names, in order.

    What is named twice, as a file and with its folder, is taken once.
    """
    found: dict[str, Path] = {}
    for name in names:
        for file in _files_of(Path(name).expanduser(), extension):
            # A link is another picture than the one that it leads to: its results have its name.
            found.setdefault(os.path.join(os.path.realpath(file.parent), file.name), file)
    return list(found.values())


def _files_of(path: Path, extension: str) -> list[Path]:
    from ir.errors import RoasteryError

    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.name.endswith(f".{extension}"))
    if not files:
        raise RoasteryError(
            f"folder '{path}' holds no .{extension} files", hint="--ext names another ending"
        )
    return files


def numbers(text: str, flag: str) -> list[int]:
    """``256,256`` as numbers."""
    try:
        return [int(word) for word in text.split(",") if word.strip()]
    except ValueError:
        raise UsageError(f"--{flag}={text}: must be whole numbers separated by commas") from None


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
    from ir.errors import RoasteryError

    from .arrays import load_npy

    if not path:
        return None
    if not Path(path).is_file():
        raise RoasteryError(f"there is no mean file '{path}'")
    if path.endswith(".npy"):
        return load_npy(path)
    mean = read_blob(Path(path))
    return mean[0] if mean.ndim == 4 else mean


def input_channels(model: str) -> int:
    """How many channels a deploy net's first input has."""
    from frontends.lowering.known_layers import layer_types
    from ir.errors import RoasteryError

    from ..reading import nets

    message: Message = nets.read_net(model)
    for layer in message.layer:
        kind = layer_types().get(layer.type)
        if kind is not None and kind.fed and layer.input_param.shape:
            dims = layer.input_param.shape[0].dim
            return int(dims[1]) if len(dims) > 1 else 1
    raise RoasteryError(
        f"'{model}' has no Input layer to put pictures into",
        hint=f"a deploy prototxt is wanted, without data layers{_instead(message)}",
    )


def _instead(message: Message) -> str:
    """What to write in the place of a net's data layer."""
    first = next((m for m in message.layer if m.top and not m.bottom), None)
    if first is None:
        return ""
    shape = "shape { dim: 1 dim: 3 dim: HEIGHT dim: WIDTH }"
    return (
        f"; in the place of layer '{first.name}': "
        f'layer {{ name: "{first.name}" type: "Input" top: "{first.top[0]}" '
        f"input_param {{ {shape} }} }}"
    )


def transformer_options(arguments: Arguments, channels: int) -> dict[str, Any]:
    """What the flags say to Classifier, Detector and Segmenter."""
    values = mean_values(getattr(arguments, MEAN_VALUE_FLAG.name, ""), channels)
    if values is not None and arguments.mean_file:
        raise UsageError("--mean_file and --mean_value: give one of the two")
    swap = numbers(arguments.channel_swap, "channel_swap")
    if channels != 3 and "channel_swap" not in arguments.given:
        swap = []
    return {
        "mean": values if values is not None else requested_mean(arguments.mean_file),
        "input_scale": arguments.input_scale,
        "raw_scale": arguments.raw_scale,
        "channel_swap": swap or None,
        "device": arguments.device or ("cuda" if arguments.gpu else None),
        "precision": arguments.precision,
        "passes": arguments.passes,
        "layout": arguments.layout,
        "threads": arguments.threads,
        "allow_python": python_layers(arguments),
    }
