"""How a picture of logs looks, and what names become in it."""

from __future__ import annotations

from dataclasses import dataclass

from .curves import Axis

#: Characters of a name that are shown.
_LONGEST = 60


@dataclass(frozen=True)
class Look:
    """How logs are drawn.

    Attributes:
        x: the horizontal axis.
        log_x, log_y: whether it, and the axis of losses, is logarithmic.
        smoothing: of train curves, from 0 (none) to below 1, as TensorBoard's.
    """

    x: Axis = "iterations"
    title: str = ""
    log_x: bool = False
    log_y: bool = False
    smoothing: float = 0.0


def shown_name(name: str) -> str:
    """A name as a picture can show it: no control characters, not too long."""
    if len(name) > _LONGEST:
        name = f"{name[: _LONGEST // 2]}...{name[-_LONGEST // 2 :]}"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
