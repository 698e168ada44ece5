"""Ranks that are killed and started again; `make torture` kills more of them, at any moment."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest

from benchmarks.torture.lost_ranks import Watched, make_run, newest, same_end
from benchmarks.torture.processes import litter

pytest.importorskip("torch.distributed", reason="torch is not installed")
pytestmark = pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="who is a rank is read from /proc"
)

ITERATIONS = 500


def _folder(path: Path) -> Path:
    path.mkdir()
    return make_run(path, ITERATIONS)


def test_killed_ranks_end_as_the_unbroken_run(tmp_path: Path) -> None:
    whole, place = _folder(tmp_path / "whole"), _folder(tmp_path / "killed")
    with Watched(whole) as run:
        assert run.end() == 0, run.log
    # Another run's snapshots are not what ranks that are started again go on from.
    for path in whole.glob(f"small_iter_{ITERATIONS}.*"):
        shutil.copy(path, place)
    with Watched(place) as run:
        for rank, iteration in ((1, 20), (0, 60)):
            run.wait((place / f"small_iter_{iteration}.solverstate").exists)
            assert run.kill(rank), "it was over too early"
        assert run.end() == 0, run.log
    assert run.log.count("Starting Optimization") == 3
    assert run.log.count("Resuming from") == 2
    assert "Traceback" not in run.log
    assert newest(place) == ITERATIONS
    assert same_end(place, whole)
    assert not litter(place)


@pytest.mark.exhaustive
def test_machines_of_which_one_has_no_snapshots(tmp_path: Path) -> None:
    """The rank that is killed is not the one that goes on from its snapshot."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        where = f"--rdzv-endpoint=localhost:{free.getsockname()[1]}"
    words = ("--nnodes=2", "--nproc-per-node=1", "--rdzv-backend=c10d", where, "--rdzv-id=two")
    folders = [_folder(tmp_path / name) for name in ("one", "other")]
    with Watched(folders[0], *words) as one, Watched(folders[1], *words) as other:
        one.wait(lambda: any(newest(folder) for folder in folders))
        pairs = sorted(zip(map(newest, folders), (one, other), strict=True), key=lambda at: at[0])
        (_, without), (_, first) = pairs
        assert without.kill(1), "it was over too early"
        assert (one.end(), other.end()) == (0, 0), one.log + other.log
    assert first.log.count("Resuming from") == 1, first.log
    assert sorted(map(newest, folders)) == [0, ITERATIONS]
