"""Names of classes from a file that a flag names."""

from __future__ import annotations

from pathlib import Path

from .say import say_note


def class_names(path: str) -> tuple[str, ...]:
    """Names by class number, "" where one has none; of an empty path none.

    Raises RoasteryError for a file that names no class, or one that no net can have.
    """
    from ir.errors import RoasteryError
    from runtime.artifact.pictures import MOST_LABELS

    from ..tools.objects.labels import read_labels

    if not path:
        return ()
    found = read_labels(Path(path), say_note)
    if not found:
        raise RoasteryError(f"'{path}' names no class", hint="a class a line, class 0 first")
    last = max(found)
    if min(found) < 0 or last >= MOST_LABELS:
        raise RoasteryError(f"'{path}' names class {last}; they are 0 to {MOST_LABELS - 1}")
    return tuple(found.get(number, "") for number in range(last + 1))
