"""Contractions that tiles do not suit."""

from __future__ import annotations

from collections.abc import Callable

from ir.graph import Node
from ir.op import Op

from ..task import Scheduled, Task

Untiled = Callable[[Task, Node], Scheduled | None]
UNTILED: dict[type[Op], Untiled] = {}


def untiled(*ops: type[Op]) -> Callable[[Untiled], Untiled]:
    """Decorator: register how contractions are scheduled that tiles do not suit; None is given
    for those that they do suit."""

    def add(function: Untiled) -> Untiled:
        UNTILED.update(dict.fromkeys(ops, function))
        return function

    return add
