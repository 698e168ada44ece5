"""``python -m tests.fuzz``: fuzz every reader for some minutes, or replay a failure."""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from .inputs import from_folder
from .report import Report
from .supervisor import run
from .targets import KNOWN, SAMPLES, all_targets
from .verdict import Verdict


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="worker processes")
    parser.add_argument("--targets", default="", help="readers, with commas; all when empty")
    parser.add_argument(
        "--failures", type=Path, default=Path(tempfile.gettempdir()) / "roastery-fuzz"
    )
    parser.add_argument("--report", type=Path, help="a file for the table")
    parser.add_argument("--replay", nargs=2, metavar=("TARGET", "FOLDER"))
    options = parser.parse_args()
    if options.replay:
        return replay(*options.replay)
    names = [name for name in options.targets.split(",") if name] or sorted(all_targets())
    report = Report()
    began = time.monotonic()

    def turns() -> Iterator[tuple[str, int]]:
        """Readers get as many inputs as the others in one half of the turns, and as much of the
        processor in the other half."""
        for name in names:
            yield from ((name, KNOWN - i) for i in range(len(all_targets()[name].known)))
        numbers = dict.fromkeys(names, -SAMPLES)
        for turn in itertools.count():
            if time.monotonic() - began >= 60 * options.minutes:
                return
            shares = [lambda n: report.rows[n].busy, lambda n: numbers[n]]
            name = min(names, key=shares[turn % 2])
            # Not measured yet: whoever else waits takes another one.
            report.rows[name].busy += 0.002
            yield name, numbers[name]
            numbers[name] += 1

    def tell(verdict: Verdict) -> None:
        known = len(report.causes)
        report.add(verdict)
        if len(report.causes) > known:
            print(f"{verdict.target} {verdict.number}: {verdict.outcome}: {verdict.key}\n"
                  f"  {verdict.detail}", file=sys.stderr, flush=True)  # fmt: skip

    run(turns(), options.seed, options.jobs, options.failures, tell)
    minutes = (time.monotonic() - began) / 60
    command = f"make fuzz MINUTES={options.minutes:g} SEED={options.seed}"
    text = report.markdown(command, minutes, options.seed)
    print(text)
    if options.report:
        options.report.write_text(text)
    if report.failed:
        print(
            f"The inputs are in {options.failures}; see one again with\n"
            f"  python -m tests.fuzz --replay TARGET {options.failures}/TARGET/NUMBER"
        )
    return 1 if report.failed else 0


def replay(name: str, folder: str) -> int:
    """Read a kept input in this process, so that a debugger or a traceback shows the place."""
    target = all_targets()[name]
    from .worker import Reader

    with tempfile.TemporaryDirectory() as room:
        samples = Reader(Path(room), 1).samples(target)
        source = Path(folder)
        main_name = next((s.main for s in samples if (source / s.main).exists()), samples[0].main)
        path = from_folder(source, main_name).write(Path(room) / "input")
        os.chdir(path.parent)
        print(target.read(path))
    return 0


if __name__ == "__main__":
    sys.exit(main())
