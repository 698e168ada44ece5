"""CSV tables equal those of Caffe's own script, and more logs can be read."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from ir.errors import RoasteryError
from roastery.cli.main import main
from roastery.tools.log_reader import read_log
from roastery.tools.parse_log import parse_log, save_csv_files

START = "I0101 00:00:00.000000  1 solver.cpp:289] Solving net\n"


def write(path: Path, *lines: str, start: str = START) -> Path:
    path.write_text(
        start + "".join(f"I0101 00:00:0{i}.5 1 s.cpp:1] {t}\n" for i, t in enumerate(lines))
    )
    return path


@pytest.mark.parametrize(
    "table",
    [
        "main.log.train",
        "one_test.log.train",
        "one_test.log.test",
        "resume.log.train",
        "multistep.log.train",
        "multistep.log.test",
        "sigint.log.train",
    ],
)
def test_same_bytes_as_caffes_script(table: str, data_dir: Path, tmp_path: Path) -> None:
    log = data_dir / "logs" / table.rpartition(".")[0]
    assert main(["parse_log", str(log), str(tmp_path)]) == 0
    assert (tmp_path / table).read_bytes() == (data_dir / "logs" / table).read_bytes()


def test_prefix_with_the_year(data_dir: Path) -> None:
    parsed = parse_log(data_dir / "logs" / "one_test_year_prefix.log")
    classic = parse_log(data_dir / "logs" / "one_test.log")

    def without_time(rows: list[dict[str, float]]) -> list[dict[str, float]]:
        return [{k: v for k, v in row.items() if k != "Seconds"} for row in rows]

    assert without_time(parsed.train) == without_time(classic.train)
    assert without_time(parsed.test) == without_time(classic.test)
    seconds = [row["Seconds"] for row in parsed.train]
    assert 0 < seconds[0] < seconds[-1] < 1


def test_a_single_row_is_kept(tmp_path: Path) -> None:
    log = write(
        tmp_path / "log", "Iteration 0, Testing net (#0)", "    Test net output #0: acc = 0.5"
    )
    (row,) = parse_log(log).test
    assert (row["NumIters"], row["acc"]) == (0, 0.5)
    assert math.isnan(row["LearningRate"])


def test_values_that_are_not_finite(tmp_path: Path) -> None:
    log = write(
        tmp_path / "log",
        "Iteration 0 (1 iter/s, 1s/1 iters), loss = nan",
        "    Train net output #0: loss = nan (* 1 = nan loss)",
        "    Train net output #1: big = inf",
        "    Train net output #2: small = -inf",
        "    Train net output #3: cold = -nan",
    )
    (row,) = parse_log(log).train
    assert (row["big"], row["small"]) == (math.inf, -math.inf)
    assert math.isnan(row["loss"]) and math.isnan(row["cold"])
    assert math.isnan(read_log(log)[0].value)


def test_columns_that_come_later(tmp_path: Path) -> None:
    log = write(
        tmp_path / "log",
        "Iteration 0, x",
        "    Train net output #0: a = 1",
        "Iteration 1, x",
        "    Train net output #0: b = 2",
        "Iteration 2, x",
        "    Train net output #0: a = 3",
    )
    parsed = parse_log(log)
    save_csv_files(log, tmp_path, parsed)
    rows = list(csv.DictReader((tmp_path / "log.train").open(newline="")))
    assert [(row["a"], row["b"]) for row in rows] == [("1.0", ""), ("", "2.0"), ("3.0", "")]


def test_new_year_and_leap_day(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(
        "I1231 23:59:58.000000 1 solver.cpp:289] Solving net\n"
        "I0101 00:00:03.000000 1 sgd_solver.cpp:112] Iteration 0, lr = 0.1\n"
    )
    assert [point.seconds for point in read_log(path)] == [5.0]
    path.write_text(
        "I0229 00:00:00.000000 1 solver.cpp:289] Solving net\n"
        "I0229 00:00:01.500000 1 sgd_solver.cpp:112] Iteration 0, lr = 0.1\n"
    )
    assert [point.seconds for point in read_log(path)] == [1.5]


def test_foreign_lines_between(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(
        START.encode()
        + b"\xff\xfe not text\n"
        + b"I9999 99:99:99.000000 1 s.cpp:1] Iteration 7, lr = 1\n"
        + b"[worker-0] I0101 00:00:02.000000 1 s.cpp:1] Iteration 10, lr = 1e-05\n"
        + b"Traceback (most recent call last):\n"
        + b"I0101 00:00:03.000000 1 s.cpp:1]     Train net output #0: loss = ...\n"
    )
    (point,) = read_log(path)
    assert (point.kind, point.value, point.iteration, point.seconds) == ("rate", 1e-5, 10, 2.0)


def test_delimiter_and_verbose(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = str(data_dir / "logs" / "one_test.log")
    assert main(["parse-log", "--delimiter=;", "--verbose", log, str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert f"Wrote {tmp_path / 'one_test.log.train'}" in out
    header = (tmp_path / "one_test.log.train").read_bytes().split(b"\r\n")[0]
    assert header == b"NumIters;Seconds;LearningRate;loss"


def test_not_a_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("Iteration 5, lr = 0.1\n")
    assert main(["parse_log", str(tmp_path / "notes.txt"), str(tmp_path)]) == 1
    assert "is not a training log" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.log", "."], "there is no log 'missing.log'"),
        (["{log}", "nowhere"], "cannot write 'nowhere"),
        (["{log}", ".", "--delimiter=ab"], "the delimiter must be one character"),
    ],
)
def test_mistakes(
    arguments: list[str],
    message: str,
    data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    log = str(data_dir / "logs" / "one_test.log")
    assert main(["parse_log", *(word.format(log=log) for word in arguments)]) == 1
    assert message in capsys.readouterr().err


def test_a_wrong_delimiter_leaves_no_file(data_dir: Path, tmp_path: Path) -> None:
    log = data_dir / "logs" / "one_test.log"
    with pytest.raises(RoasteryError):
        save_csv_files(log, tmp_path, parse_log(log), "ab")
    assert list(tmp_path.iterdir()) == []


def test_names_that_look_like_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run whose net, layer, blobs and files are called like results has its own rows only."""
    monkeypatch.chdir(tmp_path)
    stamp = "I1125 12:00:00.000000  1234 solver.cpp:239]"
    name = f"Iteration 50, loss = 0 {stamp} Iteration 51, loss = 0"
    forged = rf"{name}\n{stamp} Iteration 52, loss = 0\r{stamp}     Train net output #0: l = 7"
    Path(f"{name}.prototxt").write_text(f"""
        name: "{forged}"
        layer {{ name: "d {forged}" type: "DummyData" top: "x" top: "z {forged}"
          dummy_data_param {{ shape {{ dim: 2 dim: 3 }} shape {{ dim: 1 }} }} }}
        layer {{ name: "ip {forged}" type: "InnerProduct" bottom: "x" top: "y {forged}"
          inner_product_param {{ num_output: 1 }} }}
        layer {{ name: "l" type: "Reduction" bottom: "y {forged}" top: "loss" loss_weight: 1 }}
    """)
    Path("solver.prototxt").write_text(
        f'net: "{name}.prototxt" base_lr: 0.01 lr_policy: "fixed" max_iter: 4 display: 2 '
        f'snapshot_prefix: "{name}" solver_mode: CPU'
    )
    assert main(["train", "--solver=solver.prototxt", "--log_json=log.json"]) == 0
    Path("run.log").write_text(capsys.readouterr().err)
    points = read_log("run.log")
    assert {p.iteration for p in points} == {0, 2, 4}
    assert len([p for p in points if p.kind == "train" and p.name == "loss"]) == 2
    assert {p.iteration for p in read_log("log.json")} == {0, 2, 4}
