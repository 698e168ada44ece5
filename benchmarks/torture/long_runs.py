"""Memory, open files and threads over many iterations, and over many nets."""

from __future__ import annotations

import subprocess
import sys

from .material import Material
from .processes import environment, numbers, start
from .rows import Plan, Row

_GROWTH = 8.0
"""MiB by which a process may grow after it has warmed up."""


def iterations(material: Material, plan: Plan) -> Row:
    """A long training with tests, snapshots and a data layer takes no more at its end."""
    count = 400 if plan.short else 5000
    row = Row(f"{count} iterations of training, tests and snapshots in between", tries=1)
    place = material.place("long")
    solver = material.solver(place, max_iter=count, snapshot=count // 4, display=count // 20)
    seen: list[tuple[float, int, int]] = []
    with start(place, "train", solver) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "iter/s" in line:
                seen.append(numbers(process.pid))
    row.expect(process.returncode == 0, f"exit code {process.returncode}")
    return _compare(row, seen[len(seen) // 4 :])


PROGRAM = """
import gc, sys
sys.path.insert(0, sys.argv[3])
import roastery.caffe as caffe
for number in range(int(sys.argv[2])):
    net = caffe.Net(sys.argv[1], caffe.TRAIN)
    net.forward(); net.backward()
    del net
    if number % 10 == 9:
        gc.collect(); print(number, flush=True); sys.stdin.readline()
"""


def nets(material: Material, plan: Plan) -> Row:
    """Nets with data layers are built, run and dropped in one process."""
    count = 40 if plan.short else 500
    row = Row(f"{count} nets built, run and dropped in one process", tries=1)
    seen: list[tuple[float, int, int]] = []
    words = [str(material.folder / "net.prototxt"), str(count), environment()["PYTHONPATH"]]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        for _ in process.stdout:
            seen.append(numbers(process.pid))
            process.stdin.write("\n")
            process.stdin.flush()
    row.expect(process.returncode == 0, f"exit code {process.returncode}")
    return _compare(row, seen[len(seen) // 5 :])


def _compare(row: Row, seen: list[tuple[float, int, int]]) -> Row:
    """The end against the warmed-up beginning."""
    if not seen:
        row.failures.append("it said nothing")
        return row.end()
    (memory, files, threads), (memory_end, files_end, threads_end) = seen[0], seen[-1]
    row.expect(memory_end - memory < _GROWTH, f"grew from {memory:.1f} to {memory_end:.1f} MiB")
    row.expect(files_end <= files + 1, f"open files: {files}, then {files_end}")
    row.expect(threads_end <= threads + 1, f"threads: {threads}, then {threads_end}")
    return row.end(
        f"{memory:.1f} to {memory_end:.1f} MiB, {files} to {files_end} files, "
        f"{threads} to {threads_end} threads"
    )
