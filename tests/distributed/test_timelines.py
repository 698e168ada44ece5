"""What --timeline writes: passes, and gradients that travel while backward runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runtime.distributed.timeline import BACKWARD, FORWARD, WAITS, Timeline, hidden_share
from tests.support.ranks import small_run, train

ITERATIONS = 3
SHORT = 'lr_policy: "fixed" max_iter: 6 test_interval: 100 snapshot: 0 test_initialization: false'

Slices = dict[tuple[int, str], list[tuple[float, float]]]


def run(folder: Path, ranks: int, *words: str) -> dict[str, Any]:
    small_run(folder, 16, "")
    solver = (folder / "solver.prototxt").read_text().replace("max_iter: 25 snapshot: 10", "")
    solver = solver.replace("test_iter: 5 test_interval: 10", "test_iter: 5")
    (folder / "solver.prototxt").write_text(solver + SHORT)
    words = ("--device=cpu", "--timeline=trace.json", *words)
    train(folder, *words, f"--timeline_iterations={ITERATIONS}", ranks=ranks)
    found = json.loads((folder / "trace.json").read_text())
    assert isinstance(found, dict)
    return found


def slices(trace: dict[str, Any]) -> Slices:
    """From and until, by rank and name."""
    found: Slices = {}
    for event in trace["traceEvents"]:
        if event["ph"] == "X":
            key = event["pid"], event["name"]
            found.setdefault(key, []).append((event["ts"], event["ts"] + event["dur"]))
    return found


def test_two_ranks(tmp_path: Path) -> None:
    pytest.importorskip("torch.distributed", reason="torch is not installed")
    trace = run(tmp_path / "run", 2, "--bucket_mib=0.001")
    found = slices(trace)
    assert {rank for rank, _ in found} == {0, 1}
    names = {name for rank, name in found if rank == 0} - {FORWARD, BACKWARD, WAITS}
    assert len(names) > 1, names
    for rank in (0, 1):
        for name in (FORWARD, BACKWARD, WAITS):
            assert len(found[rank, name]) == ITERATIONS
        for forward, backward, waits in zip(
            found[rank, FORWARD], found[rank, BACKWARD], found[rank, WAITS], strict=True
        ):
            assert forward[0] < forward[1] == pytest.approx(backward[0], abs=1)
            assert backward[0] < backward[1] == pytest.approx(waits[0], abs=1)
            assert waits[0] <= waits[1]
        buckets = [name for r, name in found if r == rank and name in names]
        assert all(len(found[rank, name]) == ITERATIONS for name in buckets)
        begins = {name: [begin for begin, _ in found[rank, name]] for name in buckets}
        earliest = [min(at) for at in zip(*begins.values(), strict=True)]
        for begin, backward in zip(earliest, found[rank, BACKWARD], strict=True):
            assert backward[0] < begin < backward[1]  # it travels while backward runs
    assert 0 <= hidden_share(trace["traceEvents"]) <= 1


def test_one_rank_has_passes_alone(tmp_path: Path) -> None:
    found = slices(run(tmp_path / "run", 1))
    assert {name for _, name in found} == {FORWARD, BACKWARD, WAITS}
    assert len(found[0, FORWARD]) == ITERATIONS


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    small_run(tmp_path / "run", 16)
    said = train(tmp_path / "run", "--timeline=nowhere/trace.json", code=1)
    assert "nowhere" in said and "Traceback" not in said


def test_hidden_share() -> None:
    def event(name: str, thread: int, begin: float, end: float) -> dict[str, Any]:
        return {"ph": "X", "pid": 0, "tid": thread, "name": name, "ts": begin, "dur": end - begin}

    events = [
        event(BACKWARD, 0, 0, 10),
        event(WAITS, 0, 10, 13),
        event("a", 1, 4, 8),
        event("b", 1, 7, 12),
    ]
    assert hidden_share(events) == pytest.approx(6 / 8)


def test_nothing_is_noted_afterwards() -> None:
    timeline = Timeline(0, 1)
    for _ in range(3):
        timeline.begin_pass()
        timeline.end_forward()
        timeline.end_pass()
        timeline.end_reduction()
    assert [event["name"] for event in timeline.events if event["ph"] == "X"] == [
        FORWARD,
        BACKWARD,
        WAITS,
    ]
