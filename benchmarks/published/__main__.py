"""python -m benchmarks.published FOLDER [--output FILE]: a table of largest differences.

FOLDER holds nets that people published: NAME.prototxt, and NAME.caffemodel beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.contest import opencv_environment
from benchmarks.printed_rows import print_rows, table_of_folder

from .compared import Compared, compare, pairs


def _row(found: Compared) -> str:
    if found.trouble:
        cells = [found.net, found.result, found.shape, "", "", found.trouble]
    else:
        relative = found.difference / found.largest if found.largest else 0.0
        numbers = [f"{found.difference:.1e}", f"{relative:.1e}", ""]
        cells = [found.net, found.result, found.shape, *numbers]
    return "| " + " | ".join(cells) + " |"


def _rows(folder: Path) -> Iterator[str]:
    yield "| net | result | shape | largest difference | of the largest element | |"
    yield "|---|---|---|---|---|---|"
    for prototxt, weights in pairs(folder):
        yield from map(_row, compare(prototxt, weights))


def main() -> int:
    arguments = table_of_folder(__doc__)
    trouble = opencv_environment.missing()
    if trouble:
        print(trouble, file=sys.stderr)
        return 1
    print_rows(_rows(arguments.folder), arguments.output)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
