"""Which format a net is exported in: what was asked for, or what the output's name says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ir.errors import RoasteryError


@dataclass(frozen=True)
class Format:
    """A format, the ending of its files if they have one, and what it is in words."""

    name: str
    ending: str
    what: str


ARTIFACT = Format("roast", ".roast", "an artifact")
ONNX = Format("onnx", ".onnx", "an ONNX model")
TORCH = Format("torch", "", "a folder for PyTorch")

_OF_PYTORCH = (".pt", ".pth", ".py", ".safetensors")

FORMATS: Mapping[str, Format] = {f.name: f for f in (ARTIFACT, ONNX, TORCH)}


def chosen_format(asked: str, output: str | os.PathLike[str]) -> Format:
    """The format, by its name or by the ending of ``output``; else an artifact.

    Raises RoasteryError where the two contradict each other, and for an unknown name.
    """
    ending = Path(output).suffix.lower()
    named = next((f for f in FORMATS.values() if f.ending and f.ending == ending), None)
    if not asked and ending in _OF_PYTORCH:
        raise RoasteryError(
            f"{os.fspath(output)} is named like a file of PyTorch, which would be {ARTIFACT.what}",
            hint=f"--format {TORCH.name} --output NAME writes {TORCH.what}",
        )
    if not asked:
        return named or ARTIFACT
    if asked not in FORMATS:
        raise RoasteryError(
            f"unknown format '{asked}'", hint=f"one of {', '.join(FORMATS)} is expected"
        )
    wanted = FORMATS[asked]
    if named is not None and named is not wanted:
        raise RoasteryError(
            f"format {asked} is {wanted.what}, but {os.fspath(output)} is named like {named.what}",
            hint=f"name it NAME{wanted.ending}, or export it with --format {named.name}",
        )
    return wanted


def refuse_settings(given: Mapping[str, object], kind: Format) -> None:
    """RoasteryError where something is said that means nothing in a format.

    Args:
        given: by flags; empty ones are not said.
    """
    for flag, value in given.items():
        if value not in (None, "", (), []):
            raise RoasteryError(
                f"{flag} means nothing for {kind.what}",
                hint="leave it out, or export another format: see roastery export --help",
            )
