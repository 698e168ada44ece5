"""The recorded data layer cases: their prototxt as a config, and a writable copy of the data.

The prototxt parser belongs to another package; these files are simple enough for
regular expressions, so that a mistake there cannot hide one here.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from runtime.data.config import SourceConfig, TransformConfig
from runtime.data.sources.data import DataConfig
from runtime.data.sources.hdf5_data import HDF5DataConfig
from runtime.data.sources.image_data import ImageDataConfig

DATA = Path(__file__).parent.parent / "data"


def case_names(kind: str) -> list[str]:
    """Names of the cases in tests/data/KIND/cases."""
    return sorted(path.stem for path in (DATA / kind / "cases").glob("*.prototxt"))


def writable_copy(kind: str, target: Path) -> Path:
    """A copy of tests/data/KIND, which a test may change."""
    shutil.copytree(DATA / kind, target)
    return target


def read_case(kind: str, name: str) -> SourceConfig:
    """The first layer of a case as a config."""
    text = (DATA / kind / "cases" / f"{name}.prototxt").read_text()
    layer = re.split(r"\nlayer", text)[1]

    def field(key: str, default: str = "") -> str:
        found = re.search(rf'\b{key}\s*:\s*"?([^\s"}}]+)', layer)
        return found.group(1) if found else default

    transform = None
    if "transform_param" in layer:
        transform = TransformConfig(
            scale=float(field("scale", "1")),
            crop_size=int(field("crop_size", "0")),
            mean_file=field("mean_file"),
            mean_value=tuple(map(float, re.findall(r"mean_value: ([\d.]+)", layer))),
            force_color=field("force_color") == "true",
            force_gray=field("force_gray") == "true",
        )
    common = {
        "layer": field("name"),
        "tops": tuple(re.findall(r'\btop: "(\w+)"', layer)),
        "source": field("source"),
        "batch_size": int(field("batch_size", "1")),
    }
    match field("type"):
        case "Data":
            return DataConfig(**common, transform=transform, backend=field("backend"))
        case "ImageData":
            return ImageDataConfig(
                **common,
                transform=transform,
                new_height=int(field("new_height", "0")),
                new_width=int(field("new_width", "0")),
                is_color=field("is_color", "true") == "true",
                root_folder=field("root_folder"),
            )
        case "HDF5Data":
            return HDF5DataConfig(**common)
    raise AssertionError(field("type"))
