"""Full disks: files that may not grow beyond a limit, and /dev/full."""

from __future__ import annotations

import os
from pathlib import Path

from roastery.training.snapshots import newest_snapshot

from .kills import COMMANDS
from .material import Material
from .processes import litter, run
from .rows import Plan, Row

_PIPE_BROKEN = "the pipe is closed"


def snapshots(material: Material, plan: Plan) -> Row:
    """A snapshot without room is told, training goes on, and earlier snapshots stay."""
    row = Row("a full disk under snapshots, binary and HDF5")
    for format, ending in (("BINARYPROTO", ""), ("HDF5", ".h5")):
        place = material.place(f"full {format}")
        run(place, "train", material.solver(place, max_iter=2, snapshot=2, format=format))
        solver = material.solver(place, max_iter=8, snapshot=2, format=format)
        before = _contents(place)
        sizes = [len(content) for name, content in before.items() if "iter" in name]
        row.expect(len(sizes) == 2, f"{format}: no first snapshot")
        while plan.goes_on(least=8, most=12):
            row.tries += 1
            limit = plan.draw.randrange(0, min(sizes))
            done = run(place, "train", solver, "--snapshot=auto", limit=limit)
            told = done.stderr.count("No snapshot at iteration")
            row.expect(
                done.returncode == 1 and told == 3 and "Traceback" not in done.stderr,
                f"{format}, {limit} bytes: exit code {done.returncode}, {told} times told: "
                + done.stderr[-800:],
            )
            row.expect(_contents(place) == before, f"{format}, {limit} bytes: files changed")
        newest = newest_snapshot(str(place / "small")) or ""
        row.expect(newest.endswith(f"small_iter_2.solverstate{ending}"), f"newest: {newest}")
        plan = Plan(0.0, plan.draw, short=plan.short)
    return row.end()


def logs(material: Material, plan: Plan) -> Row:
    """Whatever happens to the log, training ends well and its last snapshot is there."""
    row = Row("a full disk or a closed pipe under the log")
    place = material.place("logs")
    solver = material.solver(place, max_iter=4, snapshot=0)
    for flags in ((), ("--log_file=/dev/full",), ("--log_json=/dev/full",)):
        for under in ("/dev/full", _PIPE_BROKEN):
            row.tries += 1
            descriptor = _opened(under)
            done = run(place, "train", solver, *flags, log=descriptor)
            os.close(descriptor)
            state = place / "small_iter_4.solverstate"
            row.expect(
                done.returncode == 0 and state.exists(),
                f"{under} {flags}: exit code {done.returncode}, snapshot: {state.exists()}",
            )
            state.unlink(missing_ok=True)
    return row.end()


def _opened(under: str) -> int:
    if under != _PIPE_BROKEN:
        return os.open(under, os.O_WRONLY)
    read, write = os.pipe()
    os.close(read)
    return write


def converters(material: Material, plan: Plan) -> Row:
    """A converter without room says so in one error, and leaves nothing."""
    row = Row("a full disk under converters and tools")
    place = material.place("full tools")
    while plan.goes_on(least=2, most=20):
        for name, words in COMMANDS.items():
            if name == "resize_and_crop":
                continue  # its files are smaller than any limit is useful
            row.tries += 1
            done = run(place, *words, limit=plan.draw.randrange(0, 500))
            row.expect(
                done.returncode == 1 and "error: " in done.stderr,
                f"{name}: exit code {done.returncode}: {done.stderr[-500:]}",
            )
            row.expect("Traceback" not in done.stderr, f"{name}: {done.stderr[-1500:]}")
            left = sorted(path.name for path in place.iterdir())
            row.expect(not left, f"{name} left {left}")
    return row.end()


def _contents(place: Path) -> dict[str, bytes]:
    row = {path.name: path.read_bytes() for path in place.iterdir() if "solver.p" not in path.name}
    row |= dict.fromkeys(litter(place), b"")
    return row
