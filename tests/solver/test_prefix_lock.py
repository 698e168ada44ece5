"""Two trainings never write the snapshots of one prefix."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import roastery.caffe as caffe
from ir.errors import RoasteryError
from roastery.training.prefix_lock import PrefixLock

Run = Callable[..., str]
ROOT = Path(__file__).parents[2]


@contextmanager
def training(*words: str) -> Iterator[subprocess.Popen[str]]:
    """A training that runs until it is stopped, beyond its first iteration."""
    command = words or ("-m", "roastery", "train", "--solver=long_solver.prototxt")
    with subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert any("iter/s" in line for line in process.stderr)
        try:
            yield process
        finally:
            process.kill()


def locks() -> list[str]:
    return [name for name in os.listdir() if name.endswith(".lock")]


def test_the_second_training_is_told(log_folder: Path, roastery: Run) -> None:
    with training() as process:
        error = roastery("train", "--solver=long_solver.prototxt", code=1)
        assert "long_solver.prototxt:" in error  # where the prefix is given
        assert "another training writes snapshots of the prefix 'long': process" in error
        assert f"process {process.pid} on" in error and "--solver=long_solver.prototxt" in error
        assert "another snapshot_prefix" in error
        assert locks() == [".long.lock"]  # still the first one's
        # By another way to the same folder it is the same prefix; another prefix is free.
        Path("way").symlink_to(".")
        text = Path("long_solver.prototxt").read_text().replace("max_iter: 1000000", "max_iter: 1")
        Path("s.prototxt").write_text(text.replace('"long"', '"way/long"'))
        assert "another training" in roastery("train", "--solver=s.prototxt", code=1)
        Path("s.prototxt").write_text(text.replace('"long"', '"other"'))
        roastery("train", "--solver=s.prototxt")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert locks() == []


def test_a_lock_of_a_killed_run_is_taken_over(log_folder: Path, roastery: Run) -> None:
    with training() as process:
        process.kill()
        process.wait()
    assert locks() == [".long.lock"]
    text = Path("long_solver.prototxt").read_text()
    Path("long_solver.prototxt").write_text(text.replace("max_iter: 1000000", "max_iter: 1"))
    log = roastery("train", "--solver=long_solver.prototxt")
    assert "took over '.long.lock' of a run that ended without removing it: process " in log
    assert f"process {process.pid} on" in log
    assert locks() == []


def test_errors_release_it(log_folder: Path, roastery: Run) -> None:
    text = Path("long_solver.prototxt").read_text()
    Path("long_solver.prototxt").write_text(text.replace("train_test.prototxt", "no.prototxt"))
    roastery("train", "--solver=long_solver.prototxt", code=1)
    assert locks() == []


@pytest.mark.parametrize("kind", ["text", "folder", "link", "fifo"])
def test_what_is_no_lock_of_ours_stays(kind: str, log_folder: Path, roastery: Run) -> None:
    path = Path(".long.lock")
    if kind == "text":
        path.write_text("mine")
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to("elsewhere")
    else:
        os.mkfifo(path)
    error = roastery("train", "--solver=long_solver.prototxt", code=1)
    assert ".long.lock" in error and "lock file" in error
    assert not Path("elsewhere").exists()
    assert path.is_symlink() or path.exists()
    assert kind != "text" or path.read_text() == "mine"


def test_runs_that_write_no_snapshots_need_none(log_folder: Path, roastery: Run) -> None:
    text = Path("long_solver.prototxt").read_text().replace("max_iter: 1000000", "max_iter: 1")
    Path("s.prototxt").write_text(text + "\nsnapshot_after_train: false")
    with training():
        roastery("train", "--solver=s.prototxt")


# --- from Python ---------------------------------------------------------------------------------

SCRIPT = """
import roastery.caffe as caffe
solver = caffe.get_solver("long_solver.prototxt")
solver.step(1)
solver.snapshot()
solver.step(100000000)
"""


def test_scripts_are_told_when_they_would_write(log_folder: Path) -> None:
    with training("-c", SCRIPT) as process:
        solver = caffe.get_solver("long_solver.prototxt")
        solver.step(1)  # which writes nothing
        with pytest.raises(RoasteryError, match=f"'long': process {process.pid} on"):
            solver.snapshot()
        with pytest.raises(RoasteryError, match="another training"):
            solver.solve()
        assert solver.iter == 1


def test_solvers_of_one_process_share_it(
    log_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As scripts with two solvers do; only one that overwrites the other's file is told."""
    one, other = (caffe.get_solver("long_solver.prototxt") for _ in range(2))
    one.step(1)
    one.snapshot()
    one.snapshot()
    assert "writes" not in capsys.readouterr().err
    other.step(1)
    other.snapshot()
    assert "'long_iter_1.solverstate' was written by another solver" in capsys.readouterr().err
    assert locks() == [".long.lock"]
    del one
    gc.collect()
    assert locks() == [".long.lock"]
    del other
    gc.collect()
    assert locks() == []


def test_a_forked_child_does_not_remove_its_parents(tmp_path: Path) -> None:
    lock = PrefixLock(str(tmp_path / "p"))
    child = os.fork()
    if child == 0:
        lock.release()
        os._exit(0)
    os.waitpid(child, 0)
    assert (tmp_path / ".p.lock").exists()
    lock.release()
    assert os.listdir(tmp_path) == []
