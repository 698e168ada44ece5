"""Kills, signals, full disks, two processes, long runs: is anything lost, left over, or growing?

    python -m benchmarks.torture [--minutes 10] [--seed 1] [--output FILE]     (make torture)

Runs the commands as users do, in processes of their own, on small data made here, and does to
them what machines do to programs. Prints a table, and ends with 1 if any row has a failure.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from . import disks, kills, long_runs, lost_ranks, prefixes, signals
from .material import make_material
from .rows import Plan, Row, page

ROWS = (
    kills.training,
    kills.converters,
    kills.export,
    lost_ranks.training,
    signals.training,
    signals.commands,
    disks.snapshots,
    disks.logs,
    disks.converters,
    prefixes.two_at_once,
    prefixes.after_a_kill,
    long_runs.iterations,
    long_runs.nets,
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("--minutes", type=float, default=10.0, help="for all rows together")
    parser.add_argument("--short", action="store_true", help="few tries of everything")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--output", type=Path, help="write the table as a Markdown page too")
    arguments = parser.parse_args()
    chosen = [row for row in ROWS if arguments.only in f"{row.__module__}.{row.__name__}"]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        material = make_material(Path(name))
        for number, row in enumerate(chosen):
            plan = Plan(
                60 * arguments.minutes / len(chosen),
                random.Random(arguments.seed * 1000 + number),
                short=arguments.short,
            )
            rows.append(row(material, plan))
            print(rows[-1].line(), flush=True)
    if arguments.output:
        arguments.output.write_text(page(rows, sys.argv[1:]), encoding="utf-8")
    return 1 if any(row.failures for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
