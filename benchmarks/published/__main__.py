"""python -m benchmarks.published FOLDER [--output FILE]: a table of largest differences.

FOLDER holds nets that people published: NAME.prototxt, and NAME.caffemodel beside it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.contest import opencv_environment

from .compared import Compared, compare, pairs


def _row(found: Compared) -> str:
    if found.trouble:
        cells = [found.net, found.result, found.shape, "", "", found.trouble]
    else:
        relative = found.difference / found.largest if found.largest else 0.0
        numbers = [f"{found.difference:.1e}", f"{relative:.1e}", ""]
        cells = [found.net, found.result, found.shape, *numbers]
    return "| " + " | ".join(cells) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path, help="also write the table to a file")
    arguments = parser.parse_args()
    trouble = opencv_environment.missing()
    if trouble:
        print(trouble, file=sys.stderr)
        return 1
    rows = [
        "| net | result | shape | largest difference | of the largest element | |",
        "|---|---|---|---|---|---|",
    ]
    print("\n".join(rows))
    for prototxt, weights in pairs(arguments.folder):
        for found in compare(prototxt, weights):
            rows.append(_row(found))
            print(rows[-1], flush=True)
    if arguments.output is not None:
        arguments.output.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
