"""Optimization fuel: after so many rewrites the passes stop."""

from __future__ import annotations

from collections.abc import Callable

from ir.graph import Node
from ir.location import Location
from ir.printable import readable


class Fuel:
    """Counts rewrites; ``limit`` None: they never run out.

    With a limit that is halved again and again, the one rewrite that makes a graph wrong is found
    in a few runs: the first N rewrites are the same whatever the limit is.

    Attributes:
        spent: rewrites made.
        last: the rewrite that took the last fuel: "rewrite 37: fuse: joined %y (relu1,
            net.prototxt:12) to %c (conv1, net.prototxt:3)"; empty while there is fuel left.
    """

    def __init__(
        self,
        limit: int | None = None,
        tell: Callable[[str], None] = lambda rewrite: None,
        *,
        every: bool = False,
    ) -> None:
        """``tell`` gets the last rewrite when it is made, or, with ``every``, each."""
        self.limit = limit
        self._tell = tell
        self._every = every
        self.spent = 0
        self.last = ""

    def take(self, what: str, *parts: Node | str) -> bool:
        """Whether one more rewrite may be made; it counts.

        Args:
            what: the rewrite, "fuse: joined {} to {}", with a place for each of the parts.
        """
        if self.spent == self.limit:
            return False
        self.spent += 1
        if self._every or self.spent == self.limit:
            rewrite = f"rewrite {self.spent}: {what.format(*map(_shown, parts))}"
            self.last = rewrite if self.spent == self.limit else ""
            self._tell(rewrite)
        return True


def _shown(node: Node | str) -> str:
    """A node by its first result, its layer and its place: "%y (relu1, net.prototxt:12)"."""
    if isinstance(node, str):
        return node
    name = f"%{node.outputs[0].name}" if node.outputs else node.op.name
    place = node.location.layer, _line(node.location)
    known = ", ".join(filter(None, place))
    return readable(f"{name} ({known})" if known else name)


def _line(location: Location) -> str:
    return f"{location.file}:{location.line}" if location.file and location.line else location.file
