"""What a prototxt alone says of the shapes of a data layer's tops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ir.errors import RoasteryError
from ir.types import shape_text
from runtime.data.config import Axis, SourceConfig, TransformConfig
from runtime.data.mean_file import read_mean

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Known:
    """Axes of the images, None where nothing tells; and the fields that told."""

    axes: tuple[int | None, int | None, int | None, int | None]
    fields: tuple[str, ...]

    @property
    def letters(self) -> list[str]:
        """The axes as text; N, C, H, W for those that nothing tells."""
        return [
            letter if axis is None else str(axis)
            for axis, letter in zip(self.axes, "NCHW", strict=True)
        ]


NO_DATA = "data"
"""What is missing where nothing was looked for: some tops' shapes are given, and not all."""

NOTHING = Known((None, None, None, None), ())


def missing_mean(config: SourceConfig) -> str | None:
    """The mean file that a layer names and that is not there."""
    name = config.transform.mean_file if config.transform is not None else ""
    return name if name and not Path(name).exists() else None


def derived(config: SourceConfig) -> Known:
    """What batch_size, crop_size and the other fields say of a data layer's images."""
    batch = getattr(config, "batch_size", 0) or None
    own = config.known_axes()
    if not config.transforms:
        return Known((batch, *own.axes), own.fields)
    transform = config.transform or TransformConfig()
    fields = ["batch_size"] if batch else []
    channels, height, width = own.axes
    if transform.mean_file and missing_mean(config) is None:
        mean = read_mean(Path(transform.mean_file), config.place).shape
        channels, height, width = (
            axis or of_mean for axis, of_mean in zip(own.axes, mean, strict=True)
        )
        fields.append("mean_file")
    fields += own.fields
    if own.axes[0] is None and (transform.force_color or transform.force_gray):
        channels = 3 if transform.force_color else 1
        fields.append("force_color" if transform.force_color else "force_gray")
    elif own.axes[0] is None and len(transform.mean_value) > 1:
        channels = len(transform.mean_value)
        fields.append("mean_value")
    high, wide, sized_by = transform.known_size()
    height, width = high or height, wide or width
    channels = channels and channels * config.pictures_each()
    fields += sized_by
    return Known((batch, channels, height, width), tuple(fields))


def shape_flags(config: SourceConfig, known: Known, tops: Sequence[str]) -> str:
    """The flags that give the shapes of ``tops``; a letter stands for what is not known."""
    shapes = _all_shapes(config, known)
    flags = []
    for i, top in enumerate(config.tops):
        if top not in tops:
            continue
        if not config.labelled:
            flags.append(f"--shape {top}={shapes[0][0]},...")
        else:
            flags.append(f"--shape {top}={','.join(map(str, shapes[i]))}")
    return " ".join(flags)


def _all_shapes(config: SourceConfig, known: Known) -> list[tuple[Axis, ...]]:
    """Of the images, and of the tops beside them."""
    letters: tuple[Axis, ...] = tuple(known.letters)
    return [letters, *config.beside(letters)]


def underivable(
    config: SourceConfig,
    missing: str,
    known: Known,
    given: Sequence[str],
    tops: Sequence[str],
) -> RoasteryError:
    """The error that says which flags to give: those of ``tops`` that are not given yet."""
    flags = shape_flags(config, known, [top for top in tops if top not in given])
    letters = [axis for shape in _all_shapes(config, known) for axis in shape]
    unknown = {str(letter): _WORDS[letter] for letter in letters if letter in _WORDS}
    if not config.labelled:
        meaning = "with all axes of each top"
    else:
        meaning = "with " + ", ".join(f"{letter} = {words}" for letter, words in unknown.items())
    return config.error(
        f"there is no {missing}, and the net does not say what shapes the tops of layer "
        f"'{config.layer}' ({config.kind}) have",
        "source" if missing != NO_DATA else "",
        f"give {flags}, {meaning}",
    )


_WORDS: dict[Axis, str] = {
    "N": "the batch size",
    "C": "the channels of an image",
    "H": "its height",
    "W": "its width",
    "K": "the classes of labels of pixels",
    "...": "as many numbers as an image has labels",
}


def told(tops: Sequence[str], shapes: Sequence[Shape]) -> str:
    """``data 32 x 3 x 227 x 227, label 32``."""
    return ", ".join(f"{t} {shape_text(s)}" for t, s in zip(tops, shapes, strict=True))
