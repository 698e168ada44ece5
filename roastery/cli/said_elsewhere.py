"""A flag that something other than the command line says: a file, the environment."""

from __future__ import annotations

from dataclasses import dataclass

from .command import Flag


@dataclass(frozen=True, slots=True)
class SaidElsewhere:
    """A flag, its value, and the place that says it.

    Attributes:
        place: what an error about it begins with, such as ``flags.txt:3``.
        name: as it is written there, dashes as underscores.
        value: None for a boolean without one.
    """

    place: str
    name: str
    flag: Flag
    value: str | None
