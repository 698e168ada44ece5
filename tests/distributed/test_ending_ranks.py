"""How ``roastery train --ranks`` ends: by signals, with a rank, with its parent, with an error."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.torture.lost_ranks import children
from tests.support.ranks import environment, small_run, train

pytest.importorskip("torch.distributed", reason="torch is not installed")
pytestmark = pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="who is a rank is read from /proc"
)

PATIENCE = 100.0


class Training:
    """Two ranks that train for ever, started by one command."""

    def __init__(self, folder: Path) -> None:
        self.folder = small_run(folder / "run", 8)
        solver = self.folder / "solver.prototxt"
        text = solver.read_text().replace("max_iter: 25", "max_iter: 1000000")
        solver.write_text(text.replace("snapshot: 10", "snapshot: 500000"))
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        words = ["-m", "roastery", "train", "--solver=solver.prototxt", "--device=cpu", "--ranks=2"]
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, *words],
                cwd=self.folder,
                env=environment() | {"TMPDIR": str(self.temporary)},
                stderr=log,
                start_new_session=True,
            )
        self._log = folder / "log"

    @property
    def log(self) -> str:
        return self._log.read_text()

    def wait_for(self, text: str) -> None:
        end = time.monotonic() + PATIENCE
        while text not in self.log:
            assert self.process.poll() is None and time.monotonic() < end, self.log[-2000:]
            time.sleep(0.02)

    def end(self) -> int:
        return self.process.wait(PATIENCE)

    @property
    def states(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*.solverstate"))

    def left(self) -> list[str]:
        """Locks, half files, folders."""
        return [*map(str, self.folder.glob(".*")), *map(str, self.temporary.iterdir())]


@contextmanager
def training(folder: Path) -> Iterator[tuple[Training, list[int]]]:
    """A training whose ranks are at work, and they; afterwards none may be left."""
    run = Training(folder)
    ranks: list[int] = []
    try:
        run.wait_for("Iteration 20 (")
        ranks = children(run.process.pid)
        assert len(ranks) == 2
        yield run, ranks
        end = time.monotonic() + PATIENCE
        while any(Path(f"/proc/{rank}/cmdline").exists() for rank in ranks):
            assert time.monotonic() < end, "a rank is left over"
            time.sleep(0.02)
    finally:
        run.process.kill()
        run.process.wait()
        for rank in ranks:
            subprocess.run(["kill", "-KILL", str(rank)], check=False, capture_output=True)


def test_signals_are_passed_on(tmp_path: Path) -> None:
    with training(tmp_path) as (run, _):
        run.process.send_signal(signal.SIGHUP)
        run.wait_for("Snapshotting solver state")
        run.wait_for("Iteration 40 (")
        run.process.send_signal(signal.SIGINT)
        assert run.end() == 0
    assert len(run.states) == 2
    assert "error" not in run.log and "Traceback" not in run.log
    assert run.log.count("Optimization stopped early") == 1
    assert run.left() == []


def test_a_killed_rank_is_named(tmp_path: Path) -> None:
    with training(tmp_path) as (run, ranks):
        began = time.monotonic()
        subprocess.run(["kill", "-KILL", str(ranks[1])], check=True)
        assert run.end() == 1
        assert time.monotonic() - began < 30
    assert run.log.count("error: ") == 1
    assert "rank 1 was ended by SIGKILL" in run.log
    assert run.left() == []


def test_ranks_end_with_their_parent(tmp_path: Path) -> None:
    """With a snapshot, as after SIGTERM."""
    with training(tmp_path) as (run, _):
        run.process.kill()
        run.end()
    assert len(run.states) == 1
    assert "Optimization stopped early" in run.log
    assert run.left() == []


@pytest.mark.parametrize("file", ["solver.prototxt", "net.prototxt"])
def test_mistakes_are_told_once(tmp_path: Path, file: str) -> None:
    folder = small_run(tmp_path / "run", 8)
    with (folder / file).open("a") as text:
        text.write("\nnonsense: 3\n")
    log = train(folder, "--device=cpu", ranks=2, code=1)
    assert log.count("error: ") == log.count("no field `nonsense`") == 1, log[-2000:]
    assert "Traceback" not in log
