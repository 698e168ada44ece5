"""Read a user's net or solver file, and notice when another file stands where it belongs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from frontends.lowering.known_layers import load_layers
from frontends.prototxt import Message, parse_file
from ir.errors import RoasteryError

FileKind = Literal["NetParameter", "SolverParameter"]

_CALLED: dict[FileKind, str] = {"NetParameter": "a net", "SolverParameter": "a solver file"}

_LABEL_MAP = (
    "LabelMap",
    "a label map (LabelMap)",
    "it tells the names of classes: name it in `label_map_file` of a layer, or with --label_map of "
    "`roastery detect_objects`",
)

_OTHERS: dict[FileKind, tuple[tuple[str, str, str], ...]] = {
    "NetParameter": (
        ("SolverParameter", "a solver file", "`net` in it names the net"),
        _LABEL_MAP,
    ),
    "SolverParameter": (
        ("NetParameter", "a net", "write a solver file whose `net` names it"),
        _LABEL_MAP,
    ),
}
"""What else a file may be: the message, what it is called, and where it belongs."""


def read_prototxt(path: Path, kind: FileKind) -> Message:
    """The message in a prototxt file.

    Raises RoasteryError with all errors of the file, or with a single one where the file is
    right but of the other kind.
    """
    load_layers()  # a solver file may hold a net, whose layers declare their parameters
    try:
        return parse_file(path, kind)
    except RoasteryError:
        for other, found, hint in _OTHERS[kind]:
            if _parses(path, other):
                raise RoasteryError(f"{path} is {found}, not {_CALLED[kind]}", hint=hint) from None
        raise


def _parses(path: Path, kind: str) -> bool:
    try:
        parse_file(path, kind)
    except RoasteryError:
        return False
    return True
