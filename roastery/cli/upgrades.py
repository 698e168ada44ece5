"""What the upgrade commands say when they are done."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .say import say

if TYPE_CHECKING:
    from frontends.prototxt import Note


def report(notes: Sequence[Note], output: str) -> int:
    """Show what was changed; the exit code is 1 if something could not be carried over."""
    for note in notes:
        say(str(note), sys.stderr)
    say(f"Wrote {output}")
    return int(any(note.level == "error" for note in notes))
