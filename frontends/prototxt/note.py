"""Remarks that are not errors: what was accepted but changed or ignored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ir.location import Location
from ir.printable import printable


@dataclass(frozen=True)
class Note:
    """A remark about a file, to be shown once.

    Args:
        text: one sentence.
        location: the first place it is about.
        level: "error" marks what could not be kept although the work went on.
    """

    text: str
    location: Location | None = None
    level: Literal["info", "warning", "error"] = "info"

    def __str__(self) -> str:
        text = printable(self.text)
        return f"{self.location}: {text}" if self.location else text
