"""Measures how numpy's threads change training, with and without other work on the machine.

    python benchmarks/blas_threads.py                 # LeNet, batch 64; 1 thread and all cores
    python benchmarks/blas_threads.py --threads 1 2 4 --busy 0 2

Each row is a process of its own: `--busy` other processes compute meanwhile. What is shown is the
median time of a forward and backward pass, and the slowest.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

_PASSES = """
import sys, time
sys.path[:0] = [{root!r}, {here!r}]
import nets
from roastery.devices.backends import open_backend
message = nets.nets.net_from_text(nets.ZOO["lenet"].text(64))
net = nets.build(nets.lowered(message), open_backend("cpu"), 10)
times, end = [], time.perf_counter() + {seconds}
while time.perf_counter() < end or len(times) < 3:
    start = time.perf_counter()
    net.forward_backward()
    times.append(1000 * (time.perf_counter() - start))
times.sort()
print(f"{{times[len(times) // 2]:12.1f}} {{times[-1]:12.1f}} {{len(times):8d}}")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    cores = os.cpu_count() or 1
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, cores}))
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 1, cores])
    parser.add_argument("--seconds", type=float, default=5.0, help="of each row (default: 5)")
    options = parser.parse_args()
    print(f"LeNet, batch 64, forward and backward; {platform.machine()}, {cores} cores")
    print(f"{'threads':>8} {'busy':>5} {'median ms':>12} {'slowest ms':>12} {'passes':>8}")
    for busy in options.busy:
        for threads in options.threads:
            print(f"{threads:8d} {busy:5d} {_row(threads, busy, options.seconds)}", flush=True)


def _row(threads: int, busy: int, seconds: float) -> str:
    others = [multiprocessing.Process(target=_compute, daemon=True) for _ in range(busy)]
    for other in others:
        other.start()
    try:
        code = _PASSES.format(root=str(HERE.parent), here=str(HERE), seconds=seconds)
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        environment["OPENBLAS_NUM_THREADS"] = str(threads)
        command = [sys.executable, "-c", code]
        found = subprocess.run(command, env=environment, capture_output=True, text=True)
        return found.stdout.rstrip("\n") or sys.exit(found.stderr)
    finally:
        for other in others:
            other.terminate()


def _compute() -> None:
    while True:
        sum(range(10_000))


if __name__ == "__main__":
    main()
