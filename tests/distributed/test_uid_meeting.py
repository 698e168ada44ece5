"""How ranks that a script starts find each other, and what is said where they do not."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import roastery.caffe as caffe
from ir.errors import RoasteryError
from roastery.ranks import meeting
from roastery.ranks.meeting import UID_BYTES, Meeting, new_meeting, tell_absence
from tests.support.ranks import environment, small_run


def come(uid: bytes, *places: tuple[int, int]) -> list[str]:
    """What ranks are told that come at once: (rank, count) each."""
    said: list[str] = []

    def attend(rank: int, count: int) -> None:
        try:
            Meeting.of(uid, rank, count).attend(said.append)
        except RoasteryError as error:
            said.append(error.message)

    threads = [threading.Thread(target=attend, args=place) for place in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return said


def test_ranks_meet_once() -> None:
    uid = new_meeting()
    assert isinstance(uid, bytes) and len(uid) == UID_BYTES
    assert come(uid, (0, 3), (1, 3), (2, 3)) == []
    (again,) = come(uid, (1, 3))
    assert "rank 1 has been here already" in again


def test_counts_must_agree() -> None:
    assert sorted(come(new_meeting(), (0, 2), (1, 3))) == [
        "rank 0 is one of 2, and rank 1 one of 3",
        "rank 1 is one of 3, and rank 0 one of 2",
    ]


def test_who_fails_before_is_not_waited_for() -> None:
    uid = new_meeting()
    tell_absence(1)
    assert come(uid, (0, 2)) == ["rank 1 has ended before it made its caffe.NCCL"]


FAILS = """
from multiprocessing import get_context
import caffe
from ir.errors import RoasteryError
from roastery.ranks.meeting import Meeting

def rank_1():
    caffe.set_solver_count(2)
    caffe.set_solver_rank(1)
    raise ValueError("rank 1 fails")

uid = caffe.NCCL.new_uid()
get_context("fork").Process(target=rank_1).start()
try:
    Meeting.of(uid, 0, 2).attend(print)
except RoasteryError as error:
    print(error.message)
"""


def test_a_process_that_fails_before_tells_it() -> None:
    command = [sys.executable, "-m", "roastery", "python", "-c", FAILS]
    done = subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "rank 1 has ended before it made its caffe.NCCL\n", done.stderr
    assert "ValueError: rank 1 fails" in done.stderr


def test_who_is_late_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meeting, "_REMARK", 0.1)
    monkeypatch.setattr(meeting, "_PATIENCE", 0.3)
    assert come(new_meeting(), (1, 4)) == [
        "rank 1 of 4 waits for ranks 0, 2, 3 to make its caffe.NCCL",
        "rank 1 of 4 has waited 0 minutes for ranks 0, 2, 3",
    ]


MAKES = "import sys, caffe; print(caffe.NCCL.new_uid().hex(), flush=True); sys.stdin.read()"


def test_the_maker_must_live() -> None:
    command = [sys.executable, "-m", "roastery", "python", "-c", MAKES]
    with subprocess.Popen(
        command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as maker:
        assert maker.stdin is not None and maker.stdout is not None
        uid = bytes.fromhex(maker.stdout.readline())
        told: list[str] = []
        rank = threading.Thread(target=lambda: told.extend(come(uid, (0, 2))))
        rank.start()
        folder = Meeting.of(uid, 0, 2).folder
        while not (folder / "rank_0").exists():
            rank.join(0.01)
        maker.stdin.close()
        maker.wait(20)
    rank.join(20)
    assert len(told) == 1 and "the process that made the uid has ended" in told[0]
    assert not folder.exists()
    with pytest.raises(RoasteryError, match="nobody serves the uid"):
        Meeting.of(uid, 0, 2)


@pytest.fixture
def solver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[caffe.Solver]:
    """The first of two."""
    monkeypatch.chdir(small_run(tmp_path / "run", 4))
    monkeypatch.setenv("ROASTERY_DEVICE", "reference")
    caffe.set_solver_count(2)
    try:
        yield caffe.get_solver("solver.prototxt")
    finally:
        caffe.set_solver_count(1)
        caffe.set_solver_rank(0)


@pytest.mark.parametrize(
    ("uid", "words"),
    [
        (b"", "the uid has 0 bytes instead of 128"),
        (b"1" * 127, "the uid has 127 bytes instead of 128"),
        (b"\0" * 128, "the uid is none of Roastery's"),
        (b"roastery ranks: /nowhere".ljust(128, b"\0"), "nobody serves the uid"),
        (b"roastery ranks: a\0b".ljust(128, b"\0"), "nobody serves the uid"),
        ("roastery ranks: /proc/1".ljust(128, "\0"), "nobody serves the uid|another user"),
    ],
)
def test_wrong_uids(solver: caffe.Solver, uid: bytes | str, words: str) -> None:
    with pytest.raises(RoasteryError, match=words):
        caffe.NCCL(solver, uid)


def test_wrong_places(solver: caffe.Solver) -> None:
    uid = caffe.NCCL.new_uid()
    caffe.set_solver_rank(1)
    with pytest.raises(RoasteryError, match="made as rank 0 of 2; this is rank 1 of 2"):
        caffe.NCCL(solver, uid)
    caffe.set_solver_rank(2)
    for call in (lambda: caffe.NCCL(solver, uid), lambda: caffe.SGDSolver("solver.prototxt")):
        with pytest.raises(RoasteryError, match="solver_rank is 2, and solver_count 2"):
            call()
    with pytest.raises(RoasteryError, match="solver_count is 0"):
        caffe.set_solver_count(0)
    with pytest.raises(RoasteryError, match="solver_rank is -1"):
        caffe.set_solver_rank(-1)


def test_without_torch(solver: caffe.Solver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert not caffe.has_nccl()
    with pytest.raises(RoasteryError) as raised:
        caffe.NCCL(solver, caffe.NCCL.new_uid())
    assert "pip install 'roastery[distributed]'" in str(raised.value)
    caffe.set_solver_count(1)
    caffe.NCCL(caffe.SGDSolver("solver.prototxt"), caffe.NCCL.new_uid()).bcast()


def test_each_solver_has_its_own(solver: caffe.Solver) -> None:
    caffe.set_solver_count(1)
    other = caffe.get_solver("solver.prototxt")
    nccl = caffe.NCCL(other, caffe.NCCL.new_uid())
    with pytest.raises(RoasteryError, match="the NCCL of another solver"):
        solver.add_callback(nccl)
    with pytest.raises(RoasteryError, match="the NCCL of another net's solver"):
        solver.net.after_backward(nccl)
