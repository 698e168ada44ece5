"""How data parallel training scales from 8 to 1,024 GPUs, predicted; needs no GPU.

    python -m benchmarks.scaling                 # writes the tables of docs/scaling.md
    python -m benchmarks.scaling --print weak-h100
    python -m benchmarks.scaling --check         # the same model beside ranks on this machine

Kernel times are those of the cost model (compiler/triton/cost), buckets those of the runtime, links
those of benchmarks/scaling/links.py, with their sources. Nothing of it was measured on a cluster.
--check measures here what the model needs (passes of one process, what averages take and cost),
predicts what 1, 2 and 4 ranks take, measures that too, and prints how far off it is; of all nets it
writes benchmarks/results/scaling-check.md. It ends with 1 where 1 or 2 ranks are off by more than
15 %.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "scaling.md"


def main() -> int:
    from .tables import TABLES, markdown

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scaling",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--output", type=Path, default=PAGE, help="default: docs/scaling.md")
    parser.add_argument(
        "--print",
        nargs="+",
        metavar="TABLE",
        choices=list(TABLES),
        help=f"print these tables instead (some take half a minute): {', '.join(TABLES)}",
    )
    parser.add_argument("--check", action="store_true", help="compare the model with ranks here")
    parser.add_argument("--net", nargs="+", help="of --check")
    parser.add_argument("--seconds", type=float, default=3.0, help="of --check, for each turn")
    parser.add_argument("--rounds", type=int, default=3, help="of --check")
    given = parser.parse_args()
    if given.check:
        from .check import check

        return check(given.net, given.rounds, given.seconds)
    from .page import written

    if given.print:
        for name in given.print:
            print(markdown(TABLES[name]()))
        return 0
    tables: dict[str, Callable[[], str]] = {
        name: partial(_table, name, rows) for name, rows in TABLES.items()
    }
    text = written(given.output.read_text(encoding="utf-8"), tables)
    given.output.write_text(text, encoding="utf-8")
    return 0


def _table(name: str, rows: Callable[[], object]) -> str:
    from .tables import TABLES, markdown

    print(f"{name} ...", file=sys.stderr)
    return markdown(TABLES[name]())


if __name__ == "__main__":
    sys.exit(main())
