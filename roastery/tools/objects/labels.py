"""Names of classes: SSD's label map, or a class a line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from frontends.prototxt import parse_text
from ir.errors import RoasteryError

from ...files.missing import cannot_read
from ...files.regular_file import read_regular_text
from ..class_colors import read_classes


def read_labels(path: Path, note: Callable[[str], None] | None = None) -> dict[int, str]:
    """Names by class number; ``note`` is told what in the file is doubtful.

    A ``.prototxt`` or ``.pbtxt`` file is a LabelMap, whose display names are taken; any other has
    a class a line, class 0 first. Raises RoasteryError for a file that cannot be read.
    """
    if path.suffix not in (".prototxt", ".pbtxt"):
        return {number: each.name for number, each in enumerate(read_classes(path, note))}
    try:
        text = read_regular_text(path)
    except OSError as error:
        raise cannot_read("label map", path, error) from error
    found: dict[int, str] = {}
    for item in parse_text(text, "LabelMap", str(path)).item:
        if item.label in found:
            raise RoasteryError(
                f"label {item.label} has two names", location=item.location_of("label")
            )
        found[item.label] = item.display_name or item.name or f"class {item.label}"
    return found
