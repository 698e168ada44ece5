"""`roastery tune_solver`: trials, what ends them early, and how a search goes on."""

from __future__ import annotations

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ir.errors import RoasteryError
from roastery.cli.main import main
from roastery.searching import SearchSpace
from roastery.searching.goal import Goal
from roastery.searching.report import TrialResult, best_first, best_of
from roastery.tools.log_reader import read_log

pytest.importorskip("optuna", reason="`make setup` installs it")

ROOT = Path(__file__).parents[2]
SHORT = ["--iterations=10", "--every=5", "--device=reference"]


@pytest.fixture
def runs(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(data_dir / "log_runs", tmp_path / "runs")
    monkeypatch.chdir(tmp_path / "runs")
    return tmp_path / "runs"


def tune(*words: str, code: int = 0) -> None:
    assert main(["tune_solver", "main_solver.prototxt", *SHORT, *words]) == code


def rows(folder: str = "search") -> list[dict[str, str]]:
    return list(csv.DictReader(Path(folder, "trials.csv").read_text().splitlines()))


# --- ranges and lists ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1e-4..1e-1", "log:0.0001..0.1"),
        ("1e-2..1e-1", "log:0.01..0.1"),
        ("0.02..0.1", "lin:0.02..0.1"),
        ("0..0.1", "lin:0..0.1"),
        ("-1..1", "lin:-1..1"),
        ("lin:1e-4..1e-1", "lin:0.0001..0.1"),
        ("log:1..2", "log:1..2"),
        (".5..1.5", "lin:0.5..1.5"),
        ("0.1,0.01", "0.1,0.01"),
        (" 0.1 , 0.01 , 0.1", "0.1,0.01"),
    ],
)
def test_ranges(text: str, told: str) -> None:
    assert SearchSpace({"base_lr": text}).texts() == {"base_lr": told}


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("base_lr", "1..0.1", "a range goes from less to more"),
        ("base_lr", "1..1", "a range goes from less to more"),
        ("base_lr", "log:0..1", "a logarithmic range begins above 0"),
        ("base_lr", "log:0.1", "is no range"),
        ("base_lr", "1..2..3", "is no range"),
        ("base_lr", "1e999..2", "finite ends"),
        ("base_lr", "0.1,,0.2", "a value is empty"),
        ("base_lr", "0.1,much", "'much' is no value of base_lr"),
        ("base_lr", "0.1,nan", "'nan' is no value of base_lr"),
        ("stepsize", "1.5..3", "takes whole numbers"),
        ("stepsize", "10,1.5", "'1.5' is no value of stepsize"),
        ("type", "SGD..Adam", "is no range"),
        ("lr_policy", "1..2", "takes no range"),
        ("test_compute_loss", "0..1", "takes no range"),
        ("test_compute_loss", "yes,maybe", "'maybe' is no value"),
        ("regularization_type", "L1", "there is nothing to search for"),
        ("stepvalue", "1..5", "takes no range"),
        ("solver_mode", "CPU,TPU", "solver_mode"),
        ("random_seed", "1..99999999999999999999", "random_seed"),
    ],
)
def test_what_is_no_range(field: str, text: str, message: str) -> None:
    with pytest.raises(RoasteryError) as caught:
        SearchSpace({field: text})
    assert message in str(caught.value) and (field in str(caught.value) or "nothing" in message)


def test_how_many_trials_there_can_be() -> None:
    assert SearchSpace({"type": "SGD,Adam", "stepsize": "1..10", "gamma": "0.1"}).size == 20
    assert SearchSpace({"type": "SGD,Adam", "base_lr": "0.1..1"}).size == float("inf")


def test_what_was_not_tried() -> None:
    space = SearchSpace({"type": "SGD,Adam", "stepsize": "1..2"})
    first = {"type": "SGD", "stepsize": 1}
    assert space.untried([]) == first
    assert space.untried([first]) == {"type": "SGD", "stepsize": 2}
    every = [{"type": t, "stepsize": n} for t in ("SGD", "Adam") for n in (1, 2)]
    assert space.untried(every) is None
    assert SearchSpace({"base_lr": "0.1..1"}).untried([]) is None


# --- a whole search -----------------------------------------------------------------------


def test_a_search(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tune("--base_lr=1e-4..1e-1", "--type=SGD,Adam", "--momentum", "0.9", "--trials=4")
    out = capsys.readouterr().out
    assert len(re.findall(r"^trial \d+: base_lr \S+, momentum 0.9, type", out, re.MULTILINE)) == 4
    assert "best: trial" in out and "roastery train --solver=search/best.prototxt" in out
    found = rows()
    assert [row["trial"] for row in found] == ["0", "1", "2", "3"]
    assert all(1e-4 <= float(row["base_lr"]) <= 1e-1 for row in found)
    assert {row["type"] for row in found} <= {"SGD", "Adam"}
    done = [row for row in found if row["state"] == "done"]
    best = max(done, key=lambda row: float(row["accuracy"]))
    text = Path("search/best.prototxt").read_text()
    assert f'type: "{best["type"]}"' in text and f"accuracy {float(best['accuracy']):.6g}" in text
    # Its own settings are as they were.
    assert "snapshot: 25" in text and "test_interval: 20" in text and "max_iter: 50" in text
    assert Path("search/curves.png").read_bytes().startswith(b"\x89PNG")
    tests = [p for p in read_log("search/trial_000.log") if p.kind == "test" and p.net == 0]
    assert {p.iteration for p in tests} == {5, 10}
    assert not list(runs.glob("main_iter_10*")), "trials write no snapshots"
    assert main(["train", "--solver=search/best.prototxt", "--device=reference"]) == 0


def test_what_standard_error_is_spared_is_in_the_logs_of_trials(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Curves are drawn from these, so glog's flags and variables leave them alone."""
    monkeypatch.setenv("GLOG_minloglevel", "3")
    tune("--base_lr=1e-3..1e-1", "--trials=1", "-minloglevel=3", "-nolog_prefix")
    points = read_log("search/trial_000.log")
    assert {point.kind for point in points} >= {"loss", "test", "rate"}
    assert Path("search/curves.png").exists()


def test_the_same_seed_finds_the_same(runs: Path) -> None:
    def values(folder: str, *words: str) -> list[list[str]]:
        tune("--base_lr=1e-4..1e-1", f"--output={folder}", *words)
        return [[row["base_lr"], row["accuracy"], row["state"]] for row in rows(folder)]

    whole = values("a", "--trials=3")
    # Broken off in between, or not.
    values("b", "--trials=1")
    assert values("b", "--trials=3") == whole
    assert values("c", "--trials=3", "--seed=5") != whole


def test_it_goes_on_and_refuses_another_search(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tune("--base_lr=1e-3..1e-1", "--trials=1")
    tune("--base_lr=1e-3..1e-1", "--trials=1")
    shown = capsys.readouterr()
    assert "going on in 'search', after 1 trial(s)" in shown.err and len(rows()) == 1
    for words, differs in (
        (["--base_lr=1e-3..1"], "ranges base_lr log:0.001..0.1; here: base_lr log:0.001"),
        (["--base_lr=1e-3..1e-1", "--metric=train_loss"], "metric 'accuracy'; here: "),
        (["--base_lr=1e-3..1e-1", "--seed=2"], "seed 0; here: 2"),
        (["--base_lr=1e-3..1e-1", "--iterations=9"], "number of iterations 10; here: 9"),
    ):
        tune(*words, "--trials=2", code=1)
        err = capsys.readouterr().err
        assert "'search' holds another search" in err and differs in err and "--output" in err
    assert len(rows()) == 1


def test_trainings_that_diverge_are_pruned(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tune("--base_lr=1e30,0.01", "--trials=5", "--pruner=none")
    found = {row["base_lr"]: row for row in rows()}
    assert found["1e30"]["state"] == "diverged" and found["0.01"]["state"] == "done"
    assert int(found["1e30"]["iterations"]) < 10
    shown = capsys.readouterr()
    assert len(rows()) == 2, "nothing is tried twice"
    assert "diverged at iteration" in shown.out and "all values were tried" in shown.err
    assert "base_lr: 0.01" in Path("search/best.prototxt").read_text()


def test_nothing_but_divergence(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tune("--base_lr=1e30,1e31", "--trials=2", code=1)
    assert "there is no best solver" in capsys.readouterr().err
    assert not Path("search/best.prototxt").exists()


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_bad_trainings_end_early(runs: Path, pruner: str) -> None:
    """Rates so small that nothing is learned, among some that learn."""
    tune("--base_lr=0.05,0.051,0.052,0.053,0.054,0.055,1e-9,2e-9,3e-9,4e-9", "--trials=30",
         "--metric=test_loss", f"--pruner={pruner}", "--iterations=12", "--every=3")  # fmt: skip
    pruned = [row for row in rows() if row["state"] == "pruned"]
    assert pruned and all(3 <= int(row["iterations"]) < 12 for row in pruned)
    assert all(float(row["test_loss"]) > 0 for row in pruned)


@pytest.mark.parametrize(
    ("words", "column", "largest"),
    [
        (["--metric=accuracy"], "accuracy", True),
        (["--metric=test1/accuracy"], "test1/accuracy", True),
        (["--metric=loss"], "loss", False),
        (["--metric=test_loss", "--direction=maximize"], "test_loss", True),
        (["--metric=train_loss"], "train_loss", False),
    ],
)
def test_what_is_compared(
    runs: Path, words: list[str], column: str, largest: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    tune("--base_lr=1e-4,1e-2,5e-2", "--trials=3", "--pruner=none", *words)
    values = {row["trial"]: float(row[column]) for row in rows()}
    best = re.search(r"best: trial (\d+)", capsys.readouterr().out)
    assert best is not None
    assert values[best[1]] == (max if largest else min)(values.values())


def test_a_solver_without_tests(runs: Path) -> None:
    (runs / "net.prototxt").write_text("""
        layer { name: "d" type: "DummyData" top: "data" top: "label" dummy_data_param {
          shape { dim: 8 dim: 3 } shape { dim: 8 }
          data_filler { type: "constant" value: 1 } data_filler { type: "constant" value: 1 } } }
        layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
          inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
    """)
    text = 'net: "net.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 20\n'
    (runs / "s.prototxt").write_text(text)
    words = ["tune_solver", "--solver=s.prototxt", "--base_lr=0.001,0.1", "--device=reference"]
    assert main([*words, "--trials=2"]) == 0
    found = {row["base_lr"]: float(row["train_loss"]) for row in rows()}
    assert found["0.1"] < found["0.001"]
    text = Path("search/best.prototxt").read_text()
    assert "base_lr: 0.1\n" in text and "random_seed: 0" in text and "snapshot" not in text


def test_trials_of_other_lengths(runs: Path) -> None:
    tune("--max_iter=5,20", "--lr_policy=poly", "--power=1", "--trials=2", "--pruner=none",
         "--iterations=20")  # fmt: skip
    assert {row["max_iter"]: (row["iterations"], row["state"]) for row in rows()} == {
        "5": ("5", "done"), "20": ("20", "done"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "there is nothing to search for"),
        (["--base_lr=0.1"], "there is nothing to search for"),
        (["--base_rl=1e-4..1e-1"], "no flag --base_rl; did you mean --base_lr?"),
        (["--snapshot_prefix=a,b"], "no flag --snapshot_prefix"),
        (["--net_param=a,b"], "no flag --net_param"),
        (["--base_lr=1e-3..1e-1", "--metric=acuracy"], "did you mean 'accuracy'?"),
        (["--base_lr=1e-3..1e-1", "--metric=test2/accuracy"], "the solver has 2 test nets"),
        (["--base_lr=1e-3..1e-1", "--trials=0"], "--trials=0: must be 1 or more"),
        (["--base_lr=1e-3..1e-1", "--solver=x"], "--solver and 'main_solver.prototxt'"),
        (["--base_lr=1e-3..1e-1", "--iterations=51"], "--iterations=51 is more than max_iter"),
        (["--type=SDG,SDGG"], "SDG"),
        (["--gamma=-2,-1"], "gamma"),
        (["--base_lr=1e-3..1e-1", "--output=main_solver.prototxt"], "cannot search in"),
    ],
)
def test_search_mistakes(
    runs: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tune(*words, code=1)
    err = capsys.readouterr().err
    assert message in err and "Traceback" not in err
    assert not Path("search/trials.csv").exists()


def test_a_trial_that_cannot_be_trained_is_told(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tune("--momentum=0.9,0.5,0.1", "--type=SGD,AdaGrad", "--trials=6", "--pruner=none")
    found = rows()
    failed = [row for row in found if row["state"] == "failed"]
    assert failed and all(row["type"] == "AdaGrad" for row in failed)
    assert {row["type"] for row in found if row["state"] == "done"} == {"SGD"}
    assert "failed: " in capsys.readouterr().out


def test_a_damaged_record(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("search").mkdir()
    Path("search/search.journal").write_bytes(b"\x00 no journal\n")
    tune("--base_lr=1e-3..1e-1", "--trials=1", code=1)
    assert "cannot be read as the record of a search" in capsys.readouterr().err


def test_without_optuna(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    tune("--base_lr=1e-3..1e-1", code=1)
    assert "pip install roastery[search]" in capsys.readouterr().err
    assert not Path("search").exists()


def test_without_matplotlib_there_are_no_curves(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    tune("--base_lr=1e-3..1e-1", "--trials=1")
    assert "pip install roastery[plot]" in capsys.readouterr().err
    assert Path("search/best.prototxt").exists() and not Path("search/curves.png").exists()


# --- signals ------------------------------------------------------------------------------


def started(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "roastery", "tune_solver", "main_solver.prototxt",
         "--base_lr=1e-3..1e-1", "--device=reference", "--pruner=none", "--max_iter=1000000",
         *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def until(log: str, process: subprocess.Popen[str]) -> None:
    """Wait for a trial's log, and for the solver's parameters in it: a log begins empty."""
    end = time.monotonic() + 60
    while not Path(log).exists() or "base_lr: " not in Path(log).read_text():
        assert time.monotonic() < end and process.poll() is None, process.communicate()
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_a_search_that_is_broken_off_goes_on(runs: Path, number: signal.Signals, code: int) -> None:
    # The first trial would take for ever.
    process = started("--trials=3", "--every=2000", "--output=long")
    until("long/trial_000.log", process)
    time.sleep(0.3)
    process.send_signal(number)
    err = process.communicate(timeout=60)[1]
    assert process.returncode == code, err
    assert "Traceback" not in err
    if number != signal.SIGKILL:
        assert "the same command goes on in 'long'" in err
    process = started("--trials=3", "--every=2000", "--output=long")
    # The trial that was broken off is tried again, with the same values.
    until("long/trial_001.log", process)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    first, again = (Path(f"long/trial_00{n}.log").read_text() for n in (0, 1))
    rates = [re.search(r"^base_lr: (\S+)", text, re.MULTILINE) for text in (first, again)]
    assert rates[0] is not None and rates[1] is not None and rates[0][1] == rates[1][1]
    assert not Path("long/best.prototxt").exists()


def test_one_search_at_a_time(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    process = started("--trials=3", "--every=2000")
    until("search/trial_000.log", process)
    tune("--base_lr=1e-3..1e-1", code=1)
    assert "another search is going on in 'search'" in capsys.readouterr().err
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130


# --- the order of results -----------------------------------------------------------------


def test_the_order_of_trials() -> None:
    each = [
        TrialResult(0, "pruned", 0.9, 5, 1.0, {}),
        TrialResult(1, "done", 0.5, 10, 1.0, {}),
        TrialResult(2, "failed", None, 0, 1.0, {}),
        TrialResult(3, "done", 0.7, 10, 1.0, {}),
        TrialResult(4, "diverged", None, 3, 1.0, {}),
        TrialResult(5, "done", 0.7, 10, 1.0, {}),
    ]
    largest, smallest = Goal("a", "maximize"), Goal("a", "minimize")
    assert [r.number for r in best_first(each, largest)] == [3, 5, 1, 0, 4, 2]
    assert [r.number for r in best_first(each, smallest)] == [1, 3, 5, 0, 4, 2]
    best = best_of(each, largest)
    assert best is not None and best.number == 3
    assert best_of(each[:1], largest) is None


def test_help_pages_point_at_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    for command, other in (("tune", "`roastery tune_solver`"), ("tune_solver", "`roastery tune`")):
        assert main([command, "--help"]) == 0
        assert other in " ".join(capsys.readouterr().out.split())
