"""What a prototxt alone says of the shapes of a data layer's tops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from frontends.prototxt.message import Message
from ir.errors import RoasteryError
from ir.types import shape_text
from runtime.data.config import (
    HDF5DataConfig,
    ImageDataConfig,
    MemoryDataConfig,
    SourceConfig,
    TransformConfig,
    WindowDataConfig,
)
from runtime.data.image_list import read_image_list
from runtime.data.mean_file import read_mean
from runtime.data.window_file import read_windows

Shape = tuple[int, ...]

#: Data layers whose second top holds one label per image.
LABELLED = ("Data", "ImageData", "WindowData", "MemoryData")


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


def missing_data(config: SourceConfig, root: str) -> str | None:
    """What of a layer's data is not there, in words; None if it is, or if it needs none."""
    source = getattr(config, "source", None)
    if source is None:
        return None
    path = Path(root) / source
    what = {
        ImageDataConfig: "image list",
        HDF5DataConfig: "list of HDF5 files",
        WindowDataConfig: "window file",
    }.get(type(config), "database")
    if not source:
        return what
    if not path.exists():
        return f"{what} '{source}'"
    if isinstance(config, ImageDataConfig):
        first = config.root_folder + read_image_list(path, config.place)[0].path
        return None if (Path(root) / first).exists() else f"image '{first}'"
    if isinstance(config, HDF5DataConfig) and path.is_file():
        return _missing_hdf5(path, root)
    if isinstance(config, WindowDataConfig):
        for image in read_windows(path, config.place)[0]:
            if not (Path(root) / (config.root_folder + image.path)).exists():
                return f"image '{config.root_folder + image.path}'"
    return None


def _missing_hdf5(path: Path, root: str) -> str | None:
    # A list is short; what is no list is refused by who reads it.
    with path.open("rb") as file:
        words = file.read(1 << 20).decode("utf-8", "surrogateescape").split()
    if "\0" in "".join(words):
        return None
    lost = [word for word in words if not (Path(root) / word).exists()]
    return f"HDF5 file '{lost[0]}'" if lost else None


def missing_mean(config: SourceConfig, root: str) -> str | None:
    """The mean file that a layer names and that is not there."""
    name = config.transform.mean_file if config.transform is not None else ""
    return name if name and not (Path(root) / name).exists() else None


def derived(config: SourceConfig, root: str) -> Known:
    """What batch_size, crop_size and the other fields say of a data layer's images."""
    transform = config.transform or TransformConfig()
    fields = ["batch_size"] if getattr(config, "batch_size", 0) else []
    batch = getattr(config, "batch_size", 0) or None
    channels: int | None = None
    height: int | None = None
    width: int | None = None
    if isinstance(config, MemoryDataConfig):
        axes = (batch, config.channels or None, config.height or None, config.width or None)
        return Known(axes, ("memory_data_param",))
    if transform.mean_file and missing_mean(config, root) is None:
        channels, height, width = read_mean(Path(root) / transform.mean_file, config.place).shape
        fields.append("mean_file")
    if isinstance(config, ImageDataConfig):
        channels = 3 if config.is_color else 1
        fields.append("is_color")
        if config.new_height and config.new_width:
            height, width = config.new_height, config.new_width
            fields += ["new_height", "new_width"]
    elif isinstance(config, WindowDataConfig):
        channels = 3
    elif transform.force_color or transform.force_gray:
        channels = 3 if transform.force_color else 1
        fields.append("force_color" if transform.force_color else "force_gray")
    elif len(transform.mean_value) > 1:
        channels = len(transform.mean_value)
        fields.append("mean_value")
    if transform.crop_size:
        height = width = transform.crop_size
        fields.append("crop_size")
    return Known((batch, channels, height, width), tuple(fields))


def shape_flags(layer: Message, known: Known, tops: Sequence[str]) -> str:
    """The flags that give the shapes of ``tops``; a letter stands for what is not known."""
    letters = known.letters
    flags = []
    for i, top in enumerate(layer.top):
        if top not in tops:
            continue
        if layer.type not in LABELLED:
            flags.append(f"--shape {top}={letters[0]},...")
        else:
            flags.append(f"--shape {top}={','.join(letters) if i == 0 else letters[0]}")
    return " ".join(flags)


def underivable(
    config: SourceConfig,
    layer: Message,
    missing: str,
    known: Known,
    given: Sequence[str],
    tops: Sequence[str],
) -> RoasteryError:
    """The error that says which flags to give: those of ``tops`` that are not given yet."""
    flags = shape_flags(layer, known, [top for top in tops if top not in given])
    unknown = {letter: _WORDS[letter] for letter in known.letters if letter in _WORDS}
    if layer.type == "HDF5Data":
        meaning = "with all axes of each top"
    else:
        meaning = "with " + ", ".join(f"{letter} = {words}" for letter, words in unknown.items())
    return config.error(
        f"there is no {missing}, and the net does not say what shapes the tops of layer "
        f"'{layer.name}' ({layer.type}) have",
        "source" if missing != NO_DATA else "",
        f"give {flags}, {meaning}",
    )


_WORDS = {
    "N": "the batch size",
    "C": "the channels of an image",
    "H": "its height",
    "W": "its width",
}


def told(tops: Sequence[str], shapes: Sequence[Shape]) -> str:
    """``data 32 x 3 x 227 x 227, label 32``."""
    return ", ".join(f"{t} {shape_text(s)}" for t, s in zip(tops, shapes, strict=True))
