"""The dialect that the user asked for: in a command or a call, else in the environment."""

from __future__ import annotations

import os

from .dialect import Dialect
from .known import find_dialect

VARIABLE = "ROASTERY_DIALECT"

_asked: list[str] = []


def asked_dialect() -> Dialect | None:
    """The dialect to read nets and weights in; None: nobody said, files are looked at.

    Raises:
        RoasteryError: there is none of the name.
    """
    if _asked:
        return find_dialect(_asked[-1])
    name = os.environ.get(VARIABLE, "")
    return find_dialect(name, VARIABLE) if name else None


def set_dialect(name: str | None) -> None:
    """Ask for a dialect from now on, as a command does; None: for none.

    Raises:
        RoasteryError: there is none of the name.
    """
    _asked.clear()
    if name is not None:
        _asked.append(find_dialect(name).name)
