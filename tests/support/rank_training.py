"""Small nets trained by several ranks: processes that meet at a file.

As a command it starts them: ``python -m tests.support.rank_training FOLDER COUNT``.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roastery.devices.backends import open_backend
from runtime.distributed.ranks import ALONE, Ranks

from .training_run import train

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Job:
    """A training. ``net``: its text, with a place for the batch. ``together``: BatchNorm's
    statistics are those of all ranks."""

    name: str
    net: str
    device: str = "reference"
    layerwise: bool = False
    together: bool = True
    iterations: int = 4

    def run(self, batch: int, ranks: Ranks = ALONE) -> dict[str, np.ndarray]:
        """Parameters and statistics at the end."""
        return train(
            self.net.replace("BATCH", str(batch)),
            open_backend(self.device),
            self.iterations,
            layerwise=self.layerwise,
            ranks=ranks,
            statistics=ranks if self.together else None,
        ).data


Found = dict[str, list[dict[str, np.ndarray]]]
"""By job, what each rank has."""


def trained(folder: Path, jobs: Sequence[Job], batch: int, count: int) -> Found:
    """Run jobs by ``count`` ranks, on batches of ``batch`` records each."""
    (folder / "jobs").write_bytes(pickle.dumps((jobs, batch)))
    ended = subprocess.run(
        [sys.executable, "-m", "tests.support.rank_training", str(folder), str(count)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-4000:]
    found: Found = {}
    for job in jobs:
        for rank in range(count):
            with np.load(folder / f"{job.name}.{rank}.npz") as arrays:
                found.setdefault(job.name, []).append(dict(arrays))
    return found


def difference(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> float:
    """The largest of all elements, relative to the largest element of its tensor."""
    assert found.keys() == expected.keys() and expected
    return max(
        float(np.abs(found[name] - array).max() / np.abs(array).max())
        for name, array in expected.items()
    )


def _run_rank(folder: Path, rank: int, count: int) -> None:
    from torch.distributed import FileStore

    from runtime.distributed.by_torch import join

    jobs, batch = pickle.loads((folder / "jobs").read_bytes())
    ranks = join("cpu", FileStore(str(folder / "store"), count), rank, count)
    for job in jobs:
        np.savez(folder / f"{job.name}.{rank}.npz", **job.run(batch, ranks))
    ranks.close()


def _main(folder: Path, count: int) -> None:
    """Start the ranks, with torch imported once for all of them."""
    import torch.distributed  # noqa: F401

    forking = multiprocessing.get_context("fork")
    ranks = [
        forking.Process(target=_run_rank, args=(folder, rank, count), daemon=True)
        for rank in range(count)
    ]
    for rank in ranks:
        rank.start()
    sentinels = {rank.sentinel: rank for rank in ranks}
    while sentinels:
        for ended in multiprocessing.connection.wait(list(sentinels)):
            rank = sentinels.pop(ended)  # type: ignore[call-overload]
            rank.join()
            if rank.exitcode:
                sys.exit(f"a rank ended with {rank.exitcode}")


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]))
