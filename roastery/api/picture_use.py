"""How pictures become an exported net's input, from what a caller and the net say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from frontends.prototxt import Message
from ir.errors import RoasteryError
from ir.printable import printable
from ir.types import TensorType
from runtime.artifact import Pictures
from runtime.pictures import Preprocessing, scale_picture

from ..building.logger import logger_report
from ..reading.deployed import picture_layer


@dataclass(frozen=True)
class PictureRules:
    """What a caller says; None: the net's data layer decides, then what Caffe's nets want.

    Attributes:
        image_size: (height, width) that pictures are scaled to before their middle is taken.
        mean: a value, one for each channel, or an image (channels, height, width).
        labels: names of classes by their numbers.
        usual: where neither says anything, pictures become what Caffe's nets want.
    """

    image_size: tuple[int, int] | None = None
    channel_swap: tuple[int, ...] | None = None
    raw_scale: float | None = None
    mean: np.ndarray | None = None
    input_scale: float | None = None
    labels: Sequence[str] = ()
    usual: bool = False

    @property
    def says_nothing(self) -> bool:
        """But for labels."""
        rules = (self.image_size, self.channel_swap, self.raw_scale, self.mean, self.input_scale)
        return all(rule is None for rule in rules)


NO_RULES = PictureRules()


def picture_input(inputs: Mapping[str, TensorType]) -> str | None:
    """The first input that pictures could become; None: there is none."""
    return next((n for n, t in inputs.items() if t.rank == 4 and int(t.shape[1]) in (1, 3)), None)


def tell_other_classes(labels: Sequence[str], outputs: Mapping[str, TensorType]) -> None:
    """Say so where names of classes are more or fewer than any output has scores."""
    scored = {
        name: int(type.shape[1])
        for name, type in outputs.items()
        if type.rank >= 2 and math.prod(map(int, type.shape[2:])) == 1
    }
    if labels and scored and len(labels) not in scored.values():
        told = ", ".join(f"'{printable(name)}' has {count}" for name, count in scored.items())
        logger_report().warn(f"there are names of {len(labels)} classes, and {told}")


def pictures_of(
    net: Message, inputs: dict[str, TensorType], rules: PictureRules = NO_RULES
) -> Pictures:
    """What an artifact is told.

    Args:
        inputs: of the exported net, by name; the first of four axes takes pictures.

    Raises RoasteryError for rules that fit no input.
    """
    labels = tuple(rules.labels)
    name = picture_input(inputs)
    if name is None:
        if not rules.says_nothing:
            raise RoasteryError(
                "no input takes pictures: none has four axes with 1 or 3 channels",
                hint=f"inputs: {', '.join(f'{n} {t}' for n, t in inputs.items()) or 'none'}",
            )
        return Pictures(None, labels)
    layer = picture_layer(net)
    if rules.says_nothing and layer is None and not rules.usual:
        return Pictures(None, labels)
    channels, height, width = (int(extent) for extent in inputs[name].shape[1:])
    mean, scale = rules.mean, rules.input_scale
    if layer is not None and mean is None and scale is None:
        mean = np.array(layer.mean, np.float32) if layer.mean else None
        scale = layer.scale
        if mean is None and layer.layer.transform_param.has("mean_file"):
            logger_report().note(
                "the mean_file of its data layer is not read: --mean-file puts it into the file"
            )
    swap = rules.channel_swap
    if swap is None:
        swap = (2, 1, 0) if channels == 3 else ()
    image = mean if mean is not None and mean.ndim == 3 else None
    if image is not None and image.shape[1:] != (height, width):
        image = scale_picture(image.transpose(1, 2, 0), height, width).transpose(2, 0, 1)
    values = () if mean is None or image is not None else tuple(map(float, mean.reshape(-1)))
    made = Preprocessing(
        name,
        rules.image_size,
        swap,
        255.0 if rules.raw_scale is None else rules.raw_scale,
        values * channels if len(values) == 1 else values,
        1.0 if scale is None else scale,
        image,
    )
    try:
        made.check(inputs[name].shape)
    except ValueError as error:
        raise RoasteryError(f"pictures cannot be put into the net: {error}") from error
    return Pictures(made, labels)
