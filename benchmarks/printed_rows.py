"""A table in markdown that is printed as it grows: for commands that measure for hours."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path


def table_parser(doc: str | None) -> argparse.ArgumentParser:
    """``[--output FILE]``, with a module's docstring as the help."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, help="also write the table to a file")
    return parser


def table_of_folder(doc: str | None) -> argparse.Namespace:
    """The arguments ``FOLDER [--output FILE]``."""
    parser = table_parser(doc)
    parser.add_argument("folder", type=Path)
    return parser.parse_args()


def print_rows(rows: Iterable[str], output: Path | None) -> None:
    """Print lines as they come; then write them to a file, if one is named."""
    printed = []
    for row in rows:
        print(row, flush=True)
        printed.append(row)
    if output is not None:
        output.write_text("\n".join(printed) + "\n", encoding="utf-8")
