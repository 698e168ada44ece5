"""The flags of ``export`` and ``build`` that say how pictures become the net's input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .class_names import class_names
from .command import Arguments, Flag, UsageError
from .preprocessing import (
    MEAN_VALUE_FLAG,
    height_and_width,
    mean_values,
    numbers,
    requested_mean,
)

if TYPE_CHECKING:
    from ..api.picture_use import PictureRules

LABELS_FLAG = Flag(
    "labels",
    "names of classes, which are kept in the file: a class a line, or a label map",
    default="",
    metavar="FILE",
)

PICTURE_FLAGS = (
    LABELS_FLAG,
    Flag("images_dim", "height,width that pictures are scaled to before their middle is taken; "
         "without it the input's size", default="", metavar="H,W"),
    Flag("mean_file", "the mean to subtract from pictures, .npy or .binaryproto", default="",
         metavar="FILE"),
    MEAN_VALUE_FLAG,
    Flag("raw_scale", "what pictures, which are in [0, 1], are multiplied by before that; without "
         "it 255", "float", metavar="X"),
    Flag("input_scale", "multiply inputs by this after all else", "float", metavar="X"),
    Flag("channel_swap", "the order of the channels; without it BGR; '' keeps RGB", default=None,
         metavar="N,N,N"),
)  # fmt: skip


def picture_rules(arguments: Arguments) -> PictureRules:
    """What these flags say of a net."""
    from ..api.picture_use import PictureRules

    if arguments.mean_value and arguments.mean_file:
        raise UsageError("--mean_file and --mean_value: give one of the two")
    mean = None
    if arguments.mean_value:
        text = arguments.mean_value
        mean = mean_values(text, text.count(",") + 1)
    elif arguments.mean_file:
        mean = requested_mean(arguments.mean_file)
    size = arguments.images_dim
    swap = arguments.channel_swap
    return PictureRules(
        height_and_width(size, "images_dim") if size else None,
        None if swap is None else tuple(numbers(swap, "channel_swap")),
        arguments.raw_scale,
        mean,
        arguments.input_scale,
        class_names(arguments.labels),
    )
