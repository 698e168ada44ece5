"""Notes on exceptions that a user's code raised: which layer it was, and its line."""

from __future__ import annotations

import contextlib


class LayerNote(str):
    """A note of ours, among those that others add."""


def add_note(error: BaseException, note: str) -> None:
    """Add a note once: an object may be raised many times.

    A class that locks its attributes goes without.
    """
    with contextlib.suppress(Exception):
        if note not in getattr(error, "__notes__", ()):
            BaseException.add_note(error, LayerNote(note))


def note_of(error: BaseException) -> str | None:
    """Our last note on an exception."""
    found = [n for n in getattr(error, "__notes__", ()) if isinstance(n, LayerNote)]
    return str(found[-1]) if found else None


def shown(error: BaseException) -> str:
    """Class and message; a class of the user's may fail to make one."""
    name = type(error).__name__
    try:
        text = str(error)
    except Exception as failure:
        text = f"(its message fails with {type(failure).__name__})"
    return f"{name}: {text}" if text else name
