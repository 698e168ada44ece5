"""Where a thing came from: file, line, column and layer of the user's prototxt."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from .printable import printable_lines, readable


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a user's file. ``line`` and ``column`` count from 1; 0 means unknown.

    ``text`` is the source line itself, shown under errors. ``field`` is the setting whose place it
    is, where it is one's (``batch_size``). Both take no part in comparisons, so that a location
    read back from IR text equals the original.
    """

    file: str = ""
    line: int = 0
    column: int = 0
    layer: str = ""
    text: str = dataclasses.field(default="", compare=False, repr=False)
    field: str = dataclasses.field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        place = readable(self.file) or "<input>"
        if self.line:
            place += f":{self.line}"
            if self.column:
                place += f":{self.column}"
        if self.layer:
            place += f" (layer '{readable(self.layer)}')"
        return place

    def excerpt(self) -> str:
        """The source line with a caret under the column, each on its own line."""
        shown, start = self.text.rstrip("\n"), 0
        if len(shown) > 160:
            start = max(0, self.column - 80)
            shown = shown[start : start + 160]
        at = max(self.column - start - 1, 0)
        before, after = printable_lines(shown[:at]), printable_lines(shown[at:])
        lines = f"\n    {before}{after}"
        if self.column:
            pad = "".join("\t" if c == "\t" else " " for c in before)
            lines += f"\n    {pad}^"
        return lines
