"""Read a user's net or solver file, and notice when one stands where the other belongs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from frontends.prototxt import Message, parse_file
from ir.errors import RoasteryError

FileKind = Literal["NetParameter", "SolverParameter"]

_OTHERS: dict[FileKind, tuple[FileKind, str, str]] = {
    "NetParameter": ("SolverParameter", "a solver file, not a net", "`net` in it names the net"),
    "SolverParameter": (
        "NetParameter",
        "a net, not a solver file",
        "write a solver file whose `net` names it",
    ),
}


def read_prototxt(path: Path, kind: FileKind) -> Message:
    """The message in a prototxt file.

    Raises RoasteryError with all errors of the file, or with a single one where the file is
    right but of the other kind.
    """
    try:
        return parse_file(path, kind)
    except RoasteryError:
        other, found, hint = _OTHERS[kind]
        if _parses(path, other):
            raise RoasteryError(f"{path} is {found}", hint=hint) from None
        raise


def _parses(path: Path, kind: FileKind) -> bool:
    try:
        parse_file(path, kind)
    except RoasteryError:
        return False
    return True
