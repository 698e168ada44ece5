"""Commands end with the exit codes that docs/command-line.md lists."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from roastery.cli.main import main

PAGE = (Path(__file__).parents[2] / "docs/command-line.md").read_text(encoding="utf-8")
LISTED = {int(n) for row in re.findall(r"^\| ([\d, ]+) \|", PAGE, re.M) for n in row.split(",")}
NET = """
layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 2 dim: 3 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y"
  inner_product_param { num_output: 4 } }
"""


def test_the_page_lists_them() -> None:
    assert {0, 1, 129, 130, 141, 143} == LISTED


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 0),
        (["help", "forks"], 0),
        (["train", "--help"], 0),
        (["train", "-version"], 0),
        (["tarin"], 1),
        (["train", "--slover=x"], 1),
        (["train"], 1),
        (["train", "--solver=nowhere.prototxt"], 1),
        (["python", "nowhere.py"], 1),
        (["python", "-c", "1/0"], 1),
        (["python", "-c", "x ="], 1),
        (["python", "-m", "nowhere"], 1),
        (["python", "-c", "pass"], 0),
        (["python", "-c", "raise KeyboardInterrupt"], 130),
    ],
)
def test_words_that_end_at_once(words: list[str], code: int) -> None:
    assert main(words) == code and code in LISTED


@pytest.mark.parametrize(
    ("code", "line"),
    [(3, "sys.exit(3)"), (1, "sys.exit('a word')"), (0, "sys.exit()"), (5, "os._exit(5)")],
)
def test_a_script_has_its_own(code: int, line: str) -> None:
    words = [sys.executable, "-m", "roastery", "python", "-c", f"import os, sys; {line}"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == code
    assert ("a word" in done.stderr) is ("word" in line)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_is_told_by_the_code(name: str, tmp_path: Path) -> None:
    (tmp_path / "net.prototxt").write_text(NET)
    words = ["time", "--model=net.prototxt", "--iterations=2000000", "--device=reference"]
    command = subprocess.Popen(
        [sys.executable, "-m", "roastery", *words],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert command.stdout is not None
    for line in command.stdout:
        if "Iteration: 1 " in line:
            break
    number = signal.Signals[name]
    command.send_signal(number)
    rest = command.stdout.read()
    assert command.wait(60) == 128 + number and 128 + number in LISTED
    assert rest.splitlines()[-1] in ("interrupted", f"stopped by {name}")


def test_nobody_reads_any_more() -> None:
    command = subprocess.Popen(
        [sys.executable, "-m", "roastery", "python", "-c",
         "import sys\nfor i in range(10**9): print('x' * 1000)"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    layers = subprocess.Popen(
        [sys.executable, "-m", "roastery", "layers", "--markdown"], stdout=subprocess.PIPE
    )
    assert command.stdout is not None and layers.stdout is not None
    command.stdout.close()
    layers.stdout.close()
    assert layers.wait(60) == 141
    assert command.wait(60) in (1, 141)  # the script's own: Python's BrokenPipeError, or ours


def test_a_full_disk() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with open("/dev/full", "w") as full:
        words = [sys.executable, "-m", "roastery", "layers"]
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "No space left" in done.stderr
