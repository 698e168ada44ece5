"""A process that trains a net, alone or as a rank, when it is told to.

``python -m benchmarks.ranks.worker NET BATCH RANK COUNT STORE`` reads requests and answers them, a
line of JSON each.
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.zoo import ZOO
from frontends.prototxt import parse_text
from ir.types import TensorType
from roastery.devices.compile_options import CompileRequest
from roastery.training.solvers import assemble
from runtime.distributed.ranks import ALONE, Alone, Ranks
from runtime.distributed.timeline import FORWARD, Timeline, hidden_share
from runtime.memory.buffers import Buffer
from runtime.solver.solver import Solver

SOLVER = """base_lr: 0.0001 momentum: 0.9 weight_decay: 0.0005 lr_policy: "fixed" max_iter: 1000000
snapshot: 0 snapshot_after_train: false random_seed: 1 solver_mode: CPU
net_param {{ {net} }}"""


_MATRIX = np.ones((160, 160), np.float32)
_TURN = 5e-5
"""Seconds of a product, roughly."""

_LARGE = 4 << 20
"""Bytes whose average takes long, and nearly the same each time."""


class Noting(Alone):
    """One process that notes when its buckets would leave."""

    def __init__(self) -> None:
        self.left: list[tuple[float, int]] = []

    def average_later(self, buffer: Buffer, done: Callable[[], None] | None = None) -> None:
        self.left.append((time.monotonic(), buffer.type.nbytes))


class Worker:
    """What can be asked of it."""

    def __init__(self, net: str, batch: int, ranks: Ranks) -> None:
        message = parse_text(SOLVER.format(net=ZOO[net].text(batch)), "SolverParameter")
        self.ranks = ranks
        self.solver: Solver = assemble(
            message, "cpu", asked=CompileRequest(threads=1), ranks=ranks, seed=1
        ).solver
        draw = np.random.default_rng(ranks.rank)
        for name, blob in self.solver.train.inputs.items():
            shape = blob.data.type.shape
            values = draw.integers(0, 10, shape) if name == "label" else draw.random(shape)
            blob.data.array[...] = values
        self.solver.step(2)

    def steps(self, count: int, timeline: bool = True) -> dict[str, Any]:
        """Seconds of each of some iterations, time of processors, and what was hidden."""
        reduction = self.solver.reduction
        noted = Timeline(self.ranks.rank, count if timeline else 0)
        if reduction is not None:
            reduction.timeline = noted
        seconds, before = [], time.process_time()
        for _ in range(count):
            start = time.perf_counter()
            self.solver.step(1)
            seconds.append(time.perf_counter() - start)
        busy = (time.process_time() - before) / count
        return {
            "seconds": seconds,
            "processor": busy,
            "hidden": hidden_share(noted.events, self.ranks.rank),
            "events": noted.events if count <= 3 else [],
        }

    def buckets(self, count: int) -> dict[str, Any]:
        """Of one process: seconds of passes and of the rest, and when buckets would leave."""
        found: list[list[tuple[float, int]]] = []
        passes, rest = [], []
        noting = Noting()
        self.solver.join(noting)
        reduction = self.solver.reduction
        assert reduction is not None
        self.solver.step(1)
        for _ in range(count):
            noting.left.clear()
            noted = reduction.timeline = Timeline(0, 1)
            start = time.perf_counter()
            self.solver.step(1)
            whole = time.perf_counter() - start
            slices = [event for event in noted.events if event["ph"] == "X"]
            begin = min(event["ts"] for event in slices if event["name"] == FORWARD) / 1e6
            end = max(event["ts"] + event["dur"] for event in slices) / 1e6
            passes.append(end - begin)
            rest.append(whole - (end - begin))
            found.append([(at - begin, nbytes) for at, nbytes in noting.left])
        self.solver.reduction = None
        ready = [
            (statistics.median(one[i][0] for one in found), found[0][i][1])
            for i in range(len(found[0]))
        ]
        return {
            "passes": statistics.median(passes),
            "update": statistics.median(rest),
            "buckets": ready,
        }

    def averages(
        self, sizes: list[int], repeats: int, seconds: float
    ) -> list[tuple[int, float, float, float]]:
        """Of averages over ranks of so many bytes: the bytes; seconds that one takes; seconds that
        it takes while all ranks compute something else (for some seconds, or longer), and that it
        costs these."""
        diffs, found = self.solver.train.store.flat_diff, []
        for nbytes in sorted({min(size, diffs.type.nbytes) for size in sizes}):
            part = diffs.part(0, TensorType((nbytes // 4,)))
            tries = repeats if nbytes < _LARGE else min(repeats, 3)
            takes = statistics.median(self._takes(part) for _ in range(tries))
            turns = round(max(3 * takes, seconds) / _TURN)
            beside = [self._beside(part, turns) for _ in range(tries)]
            travels, costs = (statistics.median(column) for column in zip(*beside, strict=True))
            found.append((nbytes, takes, travels, costs))
        return found

    def _takes(self, part: Buffer) -> float:
        self.ranks.highest_later(0)()  # all begin at once
        start = time.perf_counter()
        self.ranks.average_later(part)
        self.ranks.finish_averages()
        return time.perf_counter() - start

    def _beside(self, part: Buffer, turns: int) -> tuple[float, float]:
        arrived = []
        spent = []
        for sends in (False, True):
            self.ranks.highest_later(0)()
            start = time.perf_counter()
            if sends:
                self.ranks.average_later(part, lambda: arrived.append(time.perf_counter()))
            for _ in range(turns):
                np.matmul(_MATRIX, _MATRIX)
            self.ranks.finish_averages()
            spent.append(time.perf_counter() - start)
        return arrived[0] - start, spent[1] - spent[0]

    def digest(self) -> str:
        """Of all parameters that learn: statistics of BatchNorm are each rank's own."""
        store, found = self.solver.train.store, hashlib.sha256()
        for name, variable in store.variables.items():
            if variable.learns:
                found.update(store.data[name].peek().tobytes())
        return found.hexdigest()


def main(net: str, batch: int, rank: int, count: int, store: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what others print goes elsewhere
    ranks: Ranks = ALONE
    if count > 1:
        from torch.distributed import FileStore

        from runtime.distributed.by_torch import join

        ranks = join("cpu", FileStore(store, count), rank, count)
    worker = Worker(net, batch, ranks)
    print(json.dumps("ready"), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        answer = getattr(worker, request.pop("do"))(**request)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
