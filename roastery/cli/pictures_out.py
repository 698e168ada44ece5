"""The flags of ``export`` that say how pictures become the net's input."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .command import Arguments, Flag, UsageError
from .preprocessing import MEAN_VALUE_FLAG, mean_values, numbers, requested_mean
from .say import say_note

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
    size = numbers(arguments.images_dim, "images_dim")
    if size and (len(size) != 2 or min(size) < 1):
        raise UsageError(f"--images_dim={arguments.images_dim}: must be HEIGHT,WIDTH in pixels")
    swap = arguments.channel_swap
    return PictureRules(
        (size[0], size[1]) if size else None,
        None if swap is None else tuple(numbers(swap, "channel_swap")),
        arguments.raw_scale,
        mean,
        arguments.input_scale,
        class_names(arguments.labels),
    )


def class_names(path: str) -> tuple[str, ...]:
    """Names by class number from a file; "" for none."""
    from ir.errors import RoasteryError
    from runtime.artifact.pictures import MOST_LABELS

    from ..tools.objects.labels import read_labels

    if not path:
        return ()
    found = read_labels(Path(path), say_note)
    if not found:
        raise RoasteryError(f"'{path}' names no class", hint="a class a line, class 0 first")
    last = max(found)
    if min(found) < 0 or last >= MOST_LABELS:
        raise RoasteryError(f"'{path}' names class {last}; they are 0 to {MOST_LABELS - 1}")
    return tuple(found.get(number, "") for number in range(last + 1))
