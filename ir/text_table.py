"""Tables of plain text, for whoever prints one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from .printable import printable

_WIDEST = 118
"""Of the line below the head, which need not go on to the end of a long last column."""


def text_table(rows: Sequence[Sequence[str]], numbers: Collection[int] = ()) -> str:
    """Columns as wide as what is in them, with a line below the first row.

    Args:
        rows: the head, then others; all have as many cells.
        numbers: columns whose cells end below each other, head and all.
    """
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if i in numbers else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    lines.insert(1, "-" * min(max(map(len, lines)), _WIDEST))
    return "\n".join(lines) + "\n"
