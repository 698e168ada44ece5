"""What a log says, number by number."""

from __future__ import annotations

from typing import Literal, NamedTuple

PointKind = Literal["train", "test", "loss", "rate"]


class LogPoint(NamedTuple):
    """One number of a log. A tuple, because long logs hold millions.

    Attributes:
        kind: an output of the train net or a test net, the displayed (averaged) loss, or the
            learning rate.
        name: of the output; "loss" and "lr" otherwise.
        seconds: since the line "Solving ...".
        rate: the learning rate last shown; NaN before the first.
        net: the number of the test net.
        in_loss: the output has a loss weight.
        group: outputs that were shown together have the same number.
        element: counts the values of an output that has several.
    """

    kind: PointKind
    name: str
    value: float
    iteration: int
    seconds: float
    rate: float
    net: int = 0
    in_loss: bool = False
    group: int = 0
    element: int = 0
