"""How tools tell what they are doing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[int, int], None]
"""Called with (done, total) as work goes on; total is 0 where it is not known."""


def silent(done: int, total: int) -> None:
    """Show nothing."""
