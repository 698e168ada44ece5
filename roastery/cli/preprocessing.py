"""The flags of ``classify``, ``detect`` and ``segment`` that say how pictures become inputs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .command import Arguments, Flag, UsageError
from .compilation import LAYOUT_FLAG, PASSES_FLAG, PRECISION_FLAG, THREADS_FLAG
from .devices import DEVICE_BRIEF, DEVICES
from .nets import PYTHON_FLAG, python_layers
from .reading import IMAGE_FLAG
from .say import say_note

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


#: What pictures in folders end with where any picture is meant.
PICTURE_ENDINGS = "jpg,jpeg,png,bmp,gif,pbm,pgm,ppm,pnm,tif,tiff,webp"


def picture_files(names: Iterable[str], extension: str) -> list[Path]:
    """The files of these names, and the pictures in folders of these names, in order.

    ``extension``: of the latter, or several with commas between, in which case capitals do not
    matter. What is named twice, as a file and with its folder, is taken once.
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
    if "," in extension:
        endings = tuple(f".{one}" for one in extension.split(","))
        files = [file for file in path.iterdir() if file.name.lower().endswith(endings)]
    else:
        files = [file for file in path.iterdir() if file.name.endswith(f".{extension}")]
    files.sort()
    if not files:
        what = "pictures (" + extension if "," in extension else f".{extension} files"
        what += ")" if "," in extension else ""
        raise RoasteryError(f"folder '{path}' holds no {what}", hint="--ext names another ending")
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
    from ..reading import nets

    return _input_channels(nets.read_net(model), model)


def _input_channels(net: Message, model: str) -> int:
    from frontends.lowering.known_layers import layer_types

    from ..reading.deployed import no_input

    for layer in net.layer:
        kind = layer_types().get(layer.type)
        if kind is not None and kind.fed and layer.input_param.shape:
            dims = layer.input_param.shape[0].dim
            return int(dims[1]) if len(dims) > 1 else 1
    raise no_input(net, model)


@dataclass(frozen=True)
class PictureNet:
    """What pictures are put into.

    Attributes:
        message: the net; None: as it is in its file.
        channels: of pictures.
        any_size: every picture at its own size, since the net says none.
        mean, scale: what its data layer says, as in transform_param.
    """

    message: Message | None
    channels: int
    any_size: bool = False
    mean: tuple[float, ...] = ()
    scale: float | None = None


def picture_net(
    arguments: Arguments,
    first: Path,
    size: Sequence[int] | None,
    *,
    any_size: bool,
    flag: str = "size",
    cropped: bool = False,
) -> PictureNet:
    """The net of a command that runs on pictures; where it begins with a layer that reads files,
    they take its place, and a note says so.

    Args:
        first: a picture. size: that pictures are scaled to, where the user says it.
        any_size: whether pictures may stay as large as they are.
        flag: with which the user says the size.
        cropped: whether a size that the layer says counts more, since pictures are cropped to it.
    """
    from frontends.caffemodel.weights import read_lent_weights
    from ir.errors import RoasteryError

    from ..caffe.io import load_image
    from ..reading import nets
    from ..reading.deployed import picture_layer

    net = nets.read_net(arguments.model)
    found = picture_layer(net)
    if found is None:
        return PictureNet(None, _input_channels(net, arguments.model))
    if not found.told:
        found = found.with_weights(read_lent_weights(arguments.weights)[0])
    chosen = tuple(size) if size is not None else found.size
    if cropped and found.size is not None:
        chosen = found.size
    if chosen is None:
        if not any_size:
            raise RoasteryError(
                f"layer '{found.layer.name}' does not say how large pictures become",
                location=found.layer.location,
                hint=f"--{flag}=HEIGHT,WIDTH does",
            )
        height, width = load_image(first).shape[:2]
    else:
        height, width = chosen
    message, note = found.replaced((height, width))
    if chosen is None:
        note += f"; that is the size of '{first}', --size=HEIGHT,WIDTH gives another"
    given = {MEAN_VALUE_FLAG.name, "mean_file", "input_scale"} & arguments.given
    if found.mean and not given:
        note += f"; its mean {', '.join(f'{value:g}' for value in found.mean)} is subtracted"
    elif found.layer.transform_param.has("mean_file") and not given:
        note += "; nothing is subtracted: --mean_file would be its mean"
    if found.scale is not None and not given:
        note += f", and values are multiplied by its scale {found.scale:g}"
    say_note(note)
    told = ((), None) if given else (found.mean, found.scale)
    return PictureNet(message, found.channels, chosen is None, *told)


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
