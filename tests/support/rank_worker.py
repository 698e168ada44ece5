"""One of several ranks, which trains in one folder after the other, from the newest snapshot.

``python -m tests.support.rank_worker STORE COUNT DEVICE RANK FOLDER...``
"""

from __future__ import annotations

import os
import sys

from roastery.reading.solver_settings import read_solver_file
from roastery.training.snapshots import newest_snapshot
from roastery.training.solvers import assemble
from runtime.distributed.ranks import ALONE, Ranks
from runtime.logging import CaffeLog


def _main(store: str, count: int, device: str, rank: int, folders: list[str]) -> None:
    ranks: Ranks = ALONE
    if count > 1:
        from torch.distributed import FileStore

        from runtime.distributed.by_torch import join

        ranks = join(device, FileStore(store, count), rank, count)
    for folder in folders:
        os.chdir(folder)
        log = CaffeLog.open(log_path="log") if rank == 0 else CaffeLog()
        with log:
            solver = read_solver_file("solver.prototxt").message
            newest = ranks.from_first(newest_snapshot(solver.snapshot_prefix))
            assemble(solver, device, log, ranks=ranks).solver.solve(newest)


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5:])
