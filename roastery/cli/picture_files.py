"""The pictures that a command line names: files, and folders of them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ir.errors import RoasteryError

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
