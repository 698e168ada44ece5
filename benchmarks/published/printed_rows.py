"""What the commands of this folder share: arguments, and a table that is printed as it grows."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path


def table_arguments(doc: str | None) -> argparse.Namespace:
    """``FOLDER [--output FILE]``, with a module's docstring as the help."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path, help="also write the table to a file")
    return parser.parse_args()


def print_rows(rows: Iterable[str], output: Path | None) -> None:
    """Print lines as they come; then write them to a file, if one is named."""
    printed = []
    for row in rows:
        print(row, flush=True)
        printed.append(row)
    if output is not None:
        output.write_text("\n".join(printed) + "\n", encoding="utf-8")
