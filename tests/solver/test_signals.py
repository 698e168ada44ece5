"""SIGINT stops with a snapshot, SIGHUP snapshots, as the flags say."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*flags: str, signals: Sequence[int]) -> tuple[int, list[str]]:
    """Train a long run, send a signal after each displayed line, return code and log."""
    pending = list(signals)
    command = [sys.executable, "-m", "roastery", "train", "--solver=long_solver.prototxt"]
    with subprocess.Popen(
        [*command, *flags],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line.rstrip().partition("] ")[2])
            if "iter/s" in line and pending:
                process.send_signal(pending.pop(0))
            if not pending and len(lines) > 20_000:
                process.kill()
    return process.returncode, lines


def test_sigint_stops_with_a_snapshot(log_folder: Path) -> None:
    code, lines = run(signals=[signal.SIGINT])
    assert code == 0
    assert lines[-4].startswith("Snapshotting to binary proto file long_iter_")
    assert lines[-3].startswith("Snapshotting solver state to binary proto file long_iter_")
    assert lines[-2:] == ["Optimization stopped early.", "Optimization Done."]
    state = lines[-3].rpartition(" ")[2]
    assert (log_folder / state).exists()


def test_sighup_snapshots_and_goes_on(log_folder: Path) -> None:
    code, lines = run(signals=[signal.SIGHUP, signal.SIGINT])
    assert code == 0
    snapshots = [i for i, line in enumerate(lines) if line.startswith("Snapshotting to")]
    assert len(snapshots) == 2
    between = lines[snapshots[0] : snapshots[1]]
    assert any("iter/s" in line for line in between)


def test_effects_can_be_exchanged(log_folder: Path) -> None:
    code, lines = run(
        "--sigint_effect=none",
        "--sighup_effect=stop",
        signals=[signal.SIGINT, signal.SIGINT, signal.SIGHUP],
    )
    assert code == 0
    assert lines[-2:] == ["Optimization stopped early.", "Optimization Done."]
    assert sum("iter/s" in line for line in lines) >= 3


@pytest.mark.parametrize("number", [signal.SIGTERM])
def test_other_signals_end_the_run_as_usual(number: int, log_folder: Path) -> None:
    code, _ = run(signals=[number])
    assert code == -number
