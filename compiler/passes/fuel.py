"""Optimization fuel: after so many rewrites the passes stop."""

from __future__ import annotations


class Fuel:
    """Counts rewrites; ``limit`` None: they never run out.

    With a limit that is halved again and again, the one rewrite that makes a graph wrong is found
    in a few runs.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._left = limit

    def take(self) -> bool:
        """Whether one more rewrite may be made; it counts."""
        if self._left is None:
            return True
        self._left -= 1
        return self._left >= 0
