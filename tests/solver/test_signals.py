"""SIGINT and SIGTERM stop with a snapshot, SIGHUP snapshots, as the flags say."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ir.errors import StoppedBySignal
from runtime.solver.actions import Action, ActionRequests

ROOT = Path(__file__).parents[2]


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@contextmanager
def started(
    solver: str = "long_solver.prototxt", *flags: str, to: Any = subprocess.PIPE, group: int = 0
) -> Iterator[subprocess.Popen[str]]:
    """A training that has begun, in a process group; it does not outlive the block."""
    command = [sys.executable, "-m", "roastery", "train", f"--solver={solver}", *flags]
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdout=to, stderr=to, text=True, process_group=group
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    """Read the log up to a line with these words."""
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"no line with {words!r}")


def messages(log: Iterable[str]) -> list[str]:
    """The text of each line but of those that another thread writes at any time."""
    texts = [line.rstrip().partition("] ")[2] for line in log]
    return [text for text in texts if not text.startswith("Restarting data prefetching")]


def run(*flags: str, signals: Sequence[int]) -> tuple[int, list[str]]:
    """Train a long run, send a signal after each displayed line, return code and log."""
    pending = list(signals)
    command = [sys.executable, "-m", "roastery", "train", "--solver=long_solver.prototxt"]
    with subprocess.Popen(
        [*command, *flags],
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if "iter/s" in line and pending:
                process.send_signal(pending.pop(0))
            if not pending and len(lines) > 20_000:
                process.kill()
    return process.returncode, messages(lines)


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


@pytest.mark.parametrize("effect", ["stop", "snapshot"])
def test_sigterm_stops_with_a_snapshot(effect: str, log_folder: Path) -> None:
    """What `docker stop`, Slurm and Kubernetes send before they kill."""
    signals = [signal.SIGTERM, signal.SIGINT] if effect == "snapshot" else [signal.SIGTERM]
    code, lines = run(f"--sigterm_effect={effect}", signals=signals)
    assert code == 0
    assert lines[-2:] == ["Optimization stopped early.", "Optimization Done."]
    states = [s.rpartition(" ")[2] for s in lines if s.startswith("Snapshotting solver state")]
    assert len(states) == len(signals)
    assert all((log_folder / state).exists() for state in states)
    assert not [name for name in os.listdir() if name.endswith((".lock", ".partial"))]


def test_a_signal_that_is_sent_twice_at_once_is_one(log_folder: Path) -> None:
    """As `timeout` does: to the process, and to its group."""
    requests = ActionRequests()
    requests.begin()
    requests.request(Action.STOP, signal.SIGTERM)
    requests.request(Action.STOP, signal.SIGTERM)
    assert requests.take() is Action.STOP
    time.sleep(0.06)
    with pytest.raises(StoppedBySignal, match="at once by SIGINT"):
        requests.request(Action.STOP, signal.SIGINT)


def change(file: str, **fields: object) -> None:
    """Give fields of a solver file other values."""
    path = Path(file)
    lines = [line for line in path.read_text().splitlines() if line.partition(":")[0] not in fields]
    path.write_text("\n".join([*lines, *(f"{key}: {value}" for key, value in fields.items())]))


@pytest.mark.parametrize("first, second", [("SIGTERM", "SIGTERM"), ("SIGINT", "SIGTERM")])
def test_a_second_signal_stops_at_once(first: str, second: str, log_folder: Path) -> None:
    # No iteration ends, and none of the tests in which a signal ends the run comes before.
    change("long_solver.prototxt", iter_size=1_000_000, test_initialization="false")
    with started() as process:
        wait_for(process, "Learning Rate Policy")
        process.send_signal(signal.Signals[first])
        time.sleep(0.4)  # long enough to be two presses of a key on a busy machine, too
        assert process.poll() is None
        process.send_signal(signal.Signals[second])
        _, error = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.Signals[second]
    assert error.splitlines()[-1].startswith(f"stopped at once by {second}: what was trained")
    assert "Traceback" not in error
    assert not [name for name in os.listdir() if name.endswith((".lock", ".partial"))]


# --- before the first iteration ------------------------------------------------------------------


@pytest.mark.parametrize("name, code", [("SIGTERM", 143), ("SIGINT", 130)])
@pytest.mark.parametrize("words", ["Use CPU", "Creating training net", "Network initialization"])
def test_a_signal_while_starting(words: str, name: str, code: int, log_folder: Path) -> None:
    before = sorted(os.listdir())
    with started() as process:
        wait_for(process, words)
        process.send_signal(signal.Signals[name])
        _, error = process.communicate(timeout=30)
    assert process.returncode == code
    last = error.splitlines()[-1]
    assert last == f"stopped by {name} before the first iteration: nothing was trained"
    assert "Traceback" not in error
    assert sorted(os.listdir()) == before


FIRST = """
import os, signal, sys
from roastery.cli.signals import hold_signals
hold_signals()
os.kill(os.getpid(), int(sys.argv.pop(1)))
from roastery.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize("name, code", [("SIGTERM", 143), ("SIGINT", 130), ("SIGHUP", 0)])
def test_a_signal_while_modules_are_imported(name: str, code: int, log_folder: Path) -> None:
    """It is held until the flags are read: SIGHUP is a wish for a snapshot, in the first test."""
    change("long_solver.prototxt", max_iter=2)
    words = [sys.executable, "-c", FIRST, str(int(signal.Signals[name])), "train"]
    done = subprocess.run(
        [*words, "--solver=long_solver.prototxt"],
        env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert ("nothing was trained" in done.stderr) == (code != 0)
    assert Path("long_iter_0.solverstate").exists() == (name == "SIGHUP")


@pytest.mark.parametrize("name, code", [("SIGTERM", 143), ("SIGINT", 130), ("SIGHUP", 129)])
def test_other_commands_end_with_the_signals_code(name: str, code: int, log_folder: Path) -> None:
    words = [sys.executable, "-c", FIRST, str(int(signal.Signals[name])), "time"]
    done = subprocess.run(
        [*words, "--model=main.prototxt"],
        env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == code
    assert done.stderr == ("interrupted\n" if name == "SIGINT" else f"stopped by {name}\n")


@pytest.mark.parametrize(
    "command, code", [("train --solver=long_solver.prototxt", 130), ("layers Pooling", 0)]
)
def test_signals_that_the_parent_ignored(command: str, code: int, log_folder: Path) -> None:
    """A script's background jobs have SIGINT ignored; only training heeds it, from the start."""
    ignored = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n" + FIRST
    done = subprocess.run(
        [sys.executable, "-c", ignored, str(int(signal.SIGINT)), *command.split()],
        env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == code, done.stderr


def test_scripts_keep_pythons_signals(tmp_path: Path) -> None:
    """pycaffe takes no signal, and `roastery python` none of a script's."""
    script = tmp_path / "script.py"
    script.write_text(
        "import os, signal, caffe\n"
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler\n"
        "assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "roastery", "python", str(script)],
        env=ENVIRONMENT, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (-signal.SIGTERM, b"")


def test_a_signal_in_the_first_test(log_folder: Path) -> None:
    """As in Caffe: the test ends, a snapshot of iteration 0 is written, exit code 0."""
    change("long_solver.prototxt", test_iter=1_000_000)
    with started() as process:
        wait_for(process, "Testing net")
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Test interrupted." in error and "Optimization stopped early." in error


# --- a pipeline ----------------------------------------------------------------------------------


def test_ctrl_c_under_tee(log_folder: Path) -> None:
    """The terminal interrupts the whole pipeline, and tee dies first."""
    with subprocess.Popen(
        ["tee", "train.log"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, process_group=0
    ) as tee:
        with started(
            "long_solver.prototxt", "--log_file=own.log", to=tee.stdin, group=tee.pid
        ) as process:
            assert tee.stdin is not None
            tee.stdin.close()
            log = Path("train.log")
            while not (log.exists() and "iter/s" in log.read_text()):
                time.sleep(0.01)
            os.killpg(tee.pid, signal.SIGINT)
            assert process.wait(timeout=30) == 0
    assert tee.returncode == -signal.SIGINT
    own = Path("own.log").read_text()
    assert own.startswith(Path("train.log").read_text())  # to the letter
    lines = messages(own.splitlines())
    assert lines[-2:] == ["Optimization stopped early.", "Optimization Done."]
    assert sum("no longer reaches standard error (Broken pipe)" in line for line in lines) == 1
    (state,) = (s.rpartition(" ")[2] for s in lines if s.startswith("Snapshotting solver state"))
    assert Path(state).exists()
