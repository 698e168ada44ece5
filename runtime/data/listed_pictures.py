"""Pictures that a list names, with errors that say which one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from roastery.files.missing import missing
from roastery.files.regular_file import read_regular

from .config import SourceConfig
from .image_codec import Color, ImageError, decode_image


class ListedPictures:
    """Reads pictures of a list.

    Args:
        layer: whose list it is.
        folder: that relative paths start from.
        root_folder: put before every path as text, as Caffe does: it may be no folder.
        list_path: the list, for errors.
    """

    def __init__(
        self, layer: SourceConfig, folder: Path, root_folder: str, list_path: Path
    ) -> None:
        self._layer = layer
        self._folder = folder
        self._root_folder = root_folder
        self._list_path = list_path

    def read(self, path: str, line: int, color: Color) -> np.ndarray:
        """A picture's pixels: uint8 (height, width) or (height, width, 3), BGR."""
        full = self._folder / (self._root_folder + path)
        try:
            return decode_image(read_regular(full, self._layer.place), color, self._layer.place)
        except FileNotFoundError as error:
            lost = missing(
                "image",
                path,
                hint="paths start from root_folder, or without one from the working directory",
                named_in=f"{self._list_path}, line {line}",
                at=str(full),
            )
            raise self._layer.error(lost.message, hint=lost.hint) from error
        except OSError as error:
            raise self._layer.error(
                f"cannot read {self.name(path, line)}: {error.strerror} ({full})",
                hint="paths start from root_folder, or without one from the working directory",
            ) from error
        except ImageError as error:
            raise self._layer.error(f"cannot decode {self.name(path, line)}: {error}") from error

    def name(self, path: str, line: int) -> str:
        """How errors name a picture."""
        return f"image '{path}' ({self._list_path}, line {line})"
