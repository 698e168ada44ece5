"""The readable file of a kernel."""

from __future__ import annotations

from collections.abc import Callable

from .helpers import source_of
from .kernels import IMPORTS, Printed, Task


def readable_file(
    task: Task,
    label: str,
    printed: Printed,
    helpers: list[str],
    function: Callable[[str], str],
) -> str:
    return IMPORTS + source_of(helpers) + "\n\n" + function(label)
