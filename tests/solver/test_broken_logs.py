"""Nothing that happens to the log ends a training, or costs its snapshot."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., str]
ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
TRAIN = (sys.executable, "-m", "roastery", "train", "--solver=short_solver.prototxt")


SHORT = """
net: "train_test.prototxt" base_lr: 0.01 lr_policy: "fixed" max_iter: 2 display: 1
snapshot_prefix: "short" random_seed: 1
"""


@pytest.fixture
def short(log_folder: Path) -> Path:
    """A folder with a solver of two iterations."""
    (log_folder / "short_solver.prototxt").write_text(SHORT)
    return log_folder


def train(*flags: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Train to the end in a process of its own; it must end well, and leave its snapshot."""
    options.setdefault("stderr", subprocess.PIPE)
    done = subprocess.run(
        [*TRAIN, *flags], env=ENVIRONMENT, text=True, check=False, timeout=60, **options
    )
    assert done.returncode == 0, done.stderr
    assert list(Path().glob("*_iter_*.solverstate"))
    assert not [name for name in os.listdir() if name.endswith((".lock", ".partial"))]
    return done


def messages(text: str) -> list[str]:
    return [line.partition("] ")[2] for line in text.splitlines()]


def remarks(text: str, words: str) -> list[str]:
    return [message for message in messages(text) if words in message]


@pytest.fixture
def nobody_reads() -> Any:
    """A pipe whose reader is gone."""
    read, write = os.pipe()
    os.close(read)
    yield write
    os.close(write)


# --- standard error and standard output ----------------------------------------------------------


def test_a_pipe_that_nobody_reads(short: Path, nobody_reads: int) -> None:
    train("--log_file=train.log", stderr=nobody_reads, stdout=nobody_reads)
    log = Path("train.log").read_text()
    assert messages(log)[-1] == "Optimization Done."
    (said,) = remarks(log, "no longer reaches")
    assert said == (
        "the log no longer reaches standard error (Broken pipe); it goes on in 'train.log'"
    )


def test_a_full_disk_under_standard_error(short: Path) -> None:
    with open("/dev/full", "w") as full:
        train("--log_file=train.log", stderr=full, stdout=full)
    (said,) = remarks(Path("train.log").read_text(), "no longer reaches")
    assert "standard error (No space left on device)" in said


@pytest.mark.parametrize("closed", [(2,), (1, 2), (0, 1, 2)])
def test_no_standard_streams(closed: Sequence[int], short: Path) -> None:
    """As daemons start programs: no file of ours may get the number of standard error."""
    words = " ".join(f"{number}{'<' if number == 0 else '>'}&-" for number in closed)
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {words}', "sh", *TRAIN, "--log_file=train.log"],
        env=ENVIRONMENT,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0
    assert messages(Path("train.log").read_text())[-1] == "Optimization Done."
    assert list(Path().glob("*_iter_*.solverstate"))


PRINTS = """
import sys, time, warnings
from roastery.cli.streams import settle_streams, surviving_streams
with surviving_streams():
    for number in range(3000):
        print("a layer prints", number)
        print("and complains", number, file=sys.stderr)
        sys.stderr.flush()
    warnings.warn("so does Python")
assert settle_streams() is None
with open("reached", "w") as file:
    file.write("the end")
"""


def test_what_layers_print_is_lost_and_no_more(
    tmp_path: Path, nobody_reads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [sys.executable, "-c", PRINTS]
    done = subprocess.run(
        words, env=ENVIRONMENT, stdout=nobody_reads, stderr=nobody_reads, check=False
    )
    assert done.returncode == 0
    assert Path("reached").read_text() == "the end"


@pytest.mark.parametrize(
    ("command", "code"),
    [(("time", "--model=train_test.prototxt"), 141), (("layers",), 141), (("export",), 1)],
)
def test_other_commands_say_so(
    command: Sequence[str], code: int, short: Path, nobody_reads: int
) -> None:
    """A log is all that `time` makes: where nobody reads it, it ends. No traceback at the end."""
    words = [sys.executable, "-m", "roastery", *command]
    done = subprocess.run(
        words, env=ENVIRONMENT, stdout=nobody_reads, stderr=nobody_reads, check=False, timeout=60
    )
    assert done.returncode == code


# --- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["log_file", "log_json"])
def test_a_full_disk_under_a_log_file(flag: str, short: Path) -> None:
    done = train(f"--{flag}=/dev/full")
    (said,) = remarks(done.stderr, "no longer reaches")
    assert "'/dev/full' (No space left on device); it goes on in standard error" in said


def test_a_log_file_that_reaches_its_limit(short: Path) -> None:
    """The file ends in the middle of a line, and what was said on standard error is whole."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))

    Path("train.log").write_text("x" * 24_000 + "\n")
    done = train("--log_file=train.log", "--device=reference", preexec_fn=limited)
    assert len(remarks(done.stderr, "'train.log' (File too large)")) == 1
    assert messages(done.stderr)[-1] == "Optimization Done."
    assert Path("train.log").stat().st_size == 30_000


def test_the_log_file_has_the_lines_of_standard_error(short: Path) -> None:
    """Runs are added to it, each from the start of a line."""
    Path("train.log").write_text("cut off")
    first, second = train("--log_file=train.log"), train("--log-file", "train.log")
    assert Path("train.log").read_text() == f"cut off\n{first.stderr}{second.stderr}"


def test_the_log_file_says_what_ended_the_run(short: Path, roastery: Run) -> None:
    Path("short_solver.prototxt").write_text('net: "train_test.prototxt" lr_policy: "fixd"')
    solver = "--solver=short_solver.prototxt"
    error = roastery("train", solver, "--log_file=train.log", code=1)
    assert error.endswith(Path("train.log").read_text())
    assert "error: short_solver.prototxt:" in Path("train.log").read_text()


@pytest.mark.parametrize("path", ["missing/train.log", "train_lmdb"])
def test_a_log_file_that_cannot_be_opened(path: str, short: Path, roastery: Run) -> None:
    """Before anything is trained, this is a mistake like any other."""
    for flag, name in (("log_file", "log file"), ("log_json", "JSON log")):
        solver = "--solver=short_solver.prototxt"
        error = roastery("train", solver, f"--{flag}={path}", code=1)
        assert f"error: cannot write the {name}" in error


@pytest.mark.parametrize("command", ["test", "time"])
def test_other_commands_have_it_too(command: str, short: Path, roastery: Run) -> None:
    words = ["--model=train_test.prototxt", "--iterations=2", "--log_file=own.log"]
    if command == "test":
        words.append("--weights=main_iter_25.caffemodel")
    assert roastery(command, *words) == Path("own.log").read_text()
