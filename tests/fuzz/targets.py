"""The table of readers: what is fuzzed, with what, and what counts as right."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal

from .inputs import Sample

SAMPLES = 40
"""So many valid inputs of every reader are read as they are."""

KNOWN = -1000
"""The numbers of known inputs go down from here."""

Kind = Literal["text", "bytes", "wire", "json"]

FAMILIES = (
    "texts",
    "logs",
    "weights",
    "states",
    "arrays",
    "databases",
    "annotations",
    "pictures",
    "artifacts",
    "flags",
    "kernels",
)


@dataclass(frozen=True)
class Target:
    """A reader.

    Attributes:
        samples: makes valid inputs in an empty folder, with our writers or from recordings.
        read: reads an input; what it returns is compared where ``sealed``.
        kind: which mutators suit.
        odd: makes an input from scratch that is well-formed on the outside and odd within.
        sealed: the format has checksums over everything that matters, so that an input with one
            damage is refused, or what is read is the same.
        clean: what it may raise besides RoasteryError.
        leaves: files that reading may make beside the input.
        writes: reading may make and change any file.
        known: files below ``tests/data`` that were too much for it once.
    """

    name: str
    samples: Callable[[Path], list[Sample]]
    read: Callable[[Path], object]
    kind: Kind
    odd: Callable[[Random, Path], Sample] | None = None
    sealed: bool = False
    clean: tuple[type[Exception], ...] = ()
    leaves: tuple[str, ...] = ()
    writes: bool = False
    known: tuple[str, ...] = ()


_TARGETS: dict[str, Target] = {}


def register(target: Target) -> None:
    """Add a reader to the table."""
    assert target.name not in _TARGETS, target.name
    _TARGETS[target.name] = target


def all_targets() -> dict[str, Target]:
    """Every reader by its name."""
    tests = str(Path(__file__).parents[1])
    if tests not in sys.path:
        sys.path.append(tests)  # as pytest does, for what tests share
    for family in FAMILIES:
        importlib.import_module(f"tests.fuzz.families.{family}")
    return dict(_TARGETS)
