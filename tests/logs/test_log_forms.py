"""Logs of many makers: forks, several runs in one file, cut, and hostile ones."""

from __future__ import annotations

import csv
import itertools
import json
import math
import os
from pathlib import Path

import pytest

from ir.errors import RoasteryError
from roastery.cli.main import main
from roastery.tools.log_reader import LogPoint, read_log
from roastery.tools.parse_log import parse_log, save_csv_files
from runtime.logging import CaffeLog, NetOutput

STAMP = "I0101 00:00:01.000000  1 s.cpp:1] "


def write(path: Path, *texts: str, stamp: str = STAMP, end: str = "\n") -> Path:
    path.write_bytes("".join(stamp + text + end for text in texts).encode())
    return path


def seen(points: list[LogPoint]) -> list[tuple[object, ...]]:
    return [(p.kind, p.name, p.value, p.iteration) for p in points]


def test_two_test_nets_keep_every_row(data_dir: Path, tmp_path: Path) -> None:
    log = data_dir / "logs" / "main.log"
    assert main(["parse_log", str(log), str(tmp_path)]) == 0
    ours = list(csv.DictReader((tmp_path / "main.log.test").open(newline="")))
    theirs = list(csv.DictReader((data_dir / "logs" / "main.log.test").open(newline="")))
    assert list(ours[0]) == ["NumIters", "Seconds", "LearningRate", "TestNet", "accuracy", "loss"]
    assert [(row["NumIters"], row["TestNet"], row["accuracy"]) for row in ours] == [
        (iteration, net, accuracy)
        for iteration, pair in (
            ("0.0", ("0.325", "0.208333")),
            ("20.0", ("0.7", "0.708333")),
            ("40.0", ("0.775", "0.791667")),
        )
        for net, accuracy in zip("01", pair, strict=True)
    ]
    # Caffe's script loses the row of net 0, and gives its time to net 1.
    for row in (*ours, *theirs):
        row.pop("TestNet", None)
    assert ours[2:] == theirs[1:]
    assert theirs[0]["Seconds"] == ours[0]["Seconds"] != ours[1]["Seconds"]


def test_test_nets_with_different_outputs(tmp_path: Path) -> None:
    log = write(
        tmp_path / "log",
        "Iteration 5, Testing net (#0)", "    Test net output #0: a = 1",
        "Iteration 5, Testing net (#1)", "    Test net output #0: b = 2",
    )  # fmt: skip
    first, second = parse_log(log).test
    assert (first["TestNet"], first["a"], "b" in first) == (0, 1, False)
    assert (second["TestNet"], second["b"], "a" in second) == (1, 2, False)


def test_outputs_of_several_values(tmp_path: Path) -> None:
    values = [f"    Test net output #{i + 1}: class = 0.{i}" for i in range(3)]
    block = ["Iteration 5, Testing net (#0)", "    Test net output #0: acc = 1", *values]
    log = write(tmp_path / "log", *block, *block)
    rows = parse_log(log).test
    assert len(rows) == 2
    for row in rows:
        assert list(row)[3:] == ["acc", "class[0]", "class[1]", "class[2]"]
        assert [row[f"class[{i}]"] for i in range(3)] == [0, 0.1, 0.2]


def test_names_of_columns_and_with_blanks(tmp_path: Path) -> None:
    log = write(
        tmp_path / "log",
        "Iteration 5, Testing net (#0)",
        "    Test net output #0: Seconds = 7",
        "    Test net output #1: my loss = 8 (* 0.5 = 4 loss)",
    )
    (row,) = parse_log(log).test
    assert (row["Seconds"], row["Seconds_"], row["my loss"]) == (0, 7, 8)
    assert read_log(log)[1].in_loss


@pytest.mark.parametrize("weighted", ["", " (* 1 = 2 loss)"])
@pytest.mark.parametrize("name", ["a = 5", "a = 5 (* 1 = 5 loss)", "x (* 1 = 5 loss)", "a = 5, b"])
def test_names_that_look_like_results(name: str, weighted: str, tmp_path: Path) -> None:
    line = f"    Test net output #0: {name} = 2{weighted}"
    log = write(tmp_path / "log", "Iteration 5, Testing net (#0)", line)
    assert [(p.name, p.value, p.in_loss) for p in read_log(log)] == [(name, 2, weighted != "")]


def test_results_that_are_cut_off(tmp_path: Path) -> None:
    whole = "    Test net output #0: a = 0.25 (* 1 = 0.125 loss)"
    for end in range(whole.index("0.25") + 4, len(whole)):
        log = write(tmp_path / "log", "Iteration 5, Testing net (#0)", whole[:end])
        assert seen(read_log(log)) == [("test", "a", 0.25, 5)]


def test_names_of_json_logs_are_escaped(tmp_path: Path) -> None:
    names = ["a\x1b[31m", "b\nc", "d\u202e", "e\ud800"]
    entry = {"event": "train", "iteration": 1, "seconds": 1, "outputs": dict.fromkeys(names, 1)}
    log = tmp_path / "log"
    log.write_text(json.dumps(entry))
    save_csv_files(log, tmp_path, parse_log(log))
    head = (tmp_path / "log.train").read_text().splitlines()[0]
    assert head.endswith(r",a\x1b[31m,b\nc,d\u202e,e\ud800")


def test_names_that_are_no_text_stay_what_they_are(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(
        f"{STAMP}Iteration 0, x\n{STAMP}Train net output #0: ".encode()
        + b"\xff = 1\n" + f"{STAMP}Train net output #1: ".encode() + b"\xfe = 2\n"
    )  # fmt: skip
    save_csv_files(log, tmp_path, parse_log(log))
    assert (tmp_path / "log.train").read_bytes().split(b"\r\n")[0].endswith(b",\xff,\xfe")


def run_with_two_logs(folder: Path) -> tuple[Path, Path]:
    text = folder / "run.log"
    with text.open("w") as stream, CaffeLog.open(stream, json_path=folder / "run.json") as log:
        log.solving("net", "step")
        for iteration in (0, 10, 20):
            loss = math.nan if iteration == 20 else 1.5
            for net in (0, 1):
                log.testing_net(iteration, net)
                log.test_outputs(
                    [NetOutput("acc", (0.5 + net,)), NetOutput("per class", (0.25, math.inf))]
                )
            log.iteration(iteration, loss, done=10, seconds=1.0, display=10)
            log.train_outputs([NetOutput("loss", (loss,), 1.0), NetOutput("v", (1, 2, 3))])
            log.learning_rate(iteration, 0.5**iteration)
        log.final_loss(30, 0.25)
        log.optimization_done()
    return text, folder / "run.json"


def test_json_logs_say_the_same(tmp_path: Path) -> None:
    text, objects = run_with_two_logs(tmp_path)
    for one, other in zip(read_log(text), read_log(objects), strict=True):
        assert one.seconds == pytest.approx(other.seconds, abs=0.5)
        assert one.value == pytest.approx(other.value, rel=1e-5, nan_ok=True)
        assert one.rate == pytest.approx(other.rate, rel=1e-5, nan_ok=True)
        same = {"seconds": 0.0, "value": 0.0, "rate": 0.0, "group": 0}
        assert one._replace(**same) == other._replace(**same)


def test_json_logs_on_the_command_line(tmp_path: Path) -> None:
    for log in run_with_two_logs(tmp_path):
        assert main(["parse_log", str(log), str(tmp_path)]) == 0
    for table in ("train", "test"):
        one, other = (
            [
                {k: float(v) for k, v in row.items() if k not in ("Seconds", "LearningRate")}
                for row in csv.DictReader((tmp_path / f"{name}.{table}").open(newline=""))
            ]
            for name in ("run.log", "run.json")
        )
        assert len(one) == (3 if table == "train" else 6)
        assert repr(one) == repr(other)


def test_json_of_two_runs_and_a_cut_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = [
        {"event": "solving", "seconds": 1.0},
        {"event": "train", "seconds": 3.0, "iteration": 0, "loss": 1, "outputs": {"loss": "NaN"}},
        {"event": "message", "seconds": 4.0, "text": "x"},
    ]
    text = "".join(json.dumps(entry) + "\n" for entry in run)
    (tmp_path / "log").write_text(text + text + '{"event": "train", "seco')
    points = read_log(tmp_path / "log")
    assert [p.seconds for p in points if p.kind == "loss"] == [2.0, 6.0]
    assert math.isnan(points[1].value)
    assert "log:7: passed over an object that is cut off" in caplog.text


@pytest.mark.parametrize(
    "entry",
    [
        '{"event": "train", "iteration": 1e400, "loss": 1}',
        '{"event": "train", "iteration": true, "loss": 1}',
        '{"event": "train", "iteration": ' + "9" * 5000 + ', "loss": 1}',
        '{"event": "test", "iteration": "7"}',
        '{"event": "test", "iteration": 7, "net": [], "outputs": {"a": [[1], null, {}]}}',
        '{"event": "test", "iteration": 7, "net": "x", "outputs": [1]}',
        '{"event": "train", "iteration": 7, "loss": true, "lr": "fast", "seconds": "late"}',
        '{"event": ' * 50_000,
        "[" * 50_000,
        '{"event": 7}',
    ],
)
def test_strange_objects_are_passed_over(entry: str, tmp_path: Path) -> None:
    good = '{"event": "final", "iteration": 3, "loss": 2}'
    (tmp_path / "log").write_text(f"{entry}\n{good}\n")
    assert seen(read_log(tmp_path / "log")) == [("loss", "loss", 2, 3)]


FORMS = {
    "old Caffe": ["Iteration 10, loss = 0.5", "Train net output #0: a = 1", "Iteration 10, lr = 2"],
    "NVCaffe": [
        "[0.0] Iteration 10 (48.1 iter/s, 0.2s/10 iter), 1.3/12ep, loss = 0.5",
        "[0]     Train net output #0: a = 1 (* 1 = 1 loss)",
        "[0.0] Iteration 10, lr = 2, m = 0.9, wd = 0.0005, gs = 1",
    ],
    "other words": [
        "Iteration 10 (3 iter/s, 3s/10 iters), loss = 0.5, remaining 0 hours",
        "    Train net output #0: a = 1 (best 3)",
        "Iteration 10, base_lr = 7, lr = 2",
    ],
}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("form", FORMS)
def test_words_of_forks(form: str, end: str, tmp_path: Path) -> None:
    log = write(tmp_path / "log", *FORMS[form], end=end)
    assert seen(read_log(log)) == [
        ("loss", "loss", 0.5, 10), ("train", "a", 1, 10), ("rate", "lr", 2, 10),
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_with_a_byte_order_mark(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(f"{STAMP}Iteration 1, loss = 2\n", encoding)
    assert seen(read_log(tmp_path / "log")) == [("loss", "loss", 2, 1)]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("-nan(ind)", math.nan), ("1.#QNAN", math.nan), ("-1.#IND", math.nan), ("-inf", -math.inf),
        ("1.#INF", math.inf), ("-1.#INF", -math.inf), ("1e400", math.inf), ("+3", 3.0),
        ("9" * 5000, math.inf), ("1e-5000", 0.0), ("2.5e-07", 2.5e-7), ("1e", None),
        ("1.2.3", None), ("", None), ("x", None),
    ],
)  # fmt: skip
def test_spellings_of_numbers(word: str, value: float | None, tmp_path: Path) -> None:
    log = write(tmp_path / "log", f"Iteration 1, loss = {word}")
    found = [point.value for point in read_log(log)]
    assert repr(found) == repr([] if value is None else [value])


def test_several_runs_in_one_log(tmp_path: Path) -> None:
    """A killed run leaves half a line; the next one's first line follows on it."""
    run = ["Solving net", "Iteration 40, loss = 3", "    Train net output #0: a = 1"]
    log = write(tmp_path / "log", *run, *run)
    log.write_text(log.read_text().replace("a = 1\n", "a = 1", 1))
    assert [(row["NumIters"], row["a"]) for row in parse_log(log).train] == [(40, 1), (40, 1)]


def test_processes_that_write_into_one_log(tmp_path: Path) -> None:
    def lines(thread: int, iteration: int) -> list[str]:
        stamp = f"I0101 00:00:01.000000  {thread} s.cpp:1] "
        return [
            f"{stamp}Iteration {iteration}, loss = 3\n",
            f"{stamp}    Train net output #0: a = {iteration}\n",
            f"{stamp}    Train net output #1: b = {iteration}\n",
        ]

    mixed = itertools.chain(*zip(lines(1, 10), lines(2, 500), strict=True))
    (tmp_path / "log").write_text("".join(mixed))
    rows = parse_log(tmp_path / "log").train
    assert [(r["NumIters"], r["a"], r["b"]) for r in rows] == [(10, 10, 10), (500, 500, 500)]


def test_the_last_row_may_be_cut(tmp_path: Path) -> None:
    block = ["Iteration {}, loss = 1", "Train net output #0: a = 1", "Train net output #1: b = 1"]
    log = write(tmp_path / "log", *(t.format(i) for i in range(3) for t in block))
    log.write_text(log.read_text()[:-50])
    assert [len(row) for row in parse_log(log).train] == [5, 5, 4]


def test_absurd_iterations(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = write(
        tmp_path / "log",
        "Iteration -5, loss = 1",
        f"Iteration {'9' * 5000}, loss = 2",
        "    Train net output #0: a = 3",
        f"Iteration 4, Testing net (#{'9' * 5000})",
        f"    Test net output #{'9' * 5000}: a = 4",
        "    Test net output #0: a = 5",
    )
    assert seen(read_log(log)) == [("loss", "loss", 1, -5), ("test", "a", 5, 4)]
    assert "log:2: passed over what follows an iteration of 5000 digits" in caplog.text


def test_around_new_years_eve(tmp_path: Path) -> None:
    dates = ["1231 23:59:58", "0101 00:00:01", "1231 23:59:59", "0101 00:00:02"]
    lines = [f"I{date}.000000 1 s.cpp:1] Iteration 1, loss = 1\n" for date in dates]
    (tmp_path / "log").write_text("".join(lines))
    assert [point.seconds for point in read_log(tmp_path / "log")] == [0, 3, 1, 4]


def test_a_run_over_the_leap_day(tmp_path: Path) -> None:
    dates = ["0228", "0229", "0301"]
    lines = [f"I{date} 00:00:00.000000 1 s.cpp:1] Iteration 1, loss = 1\n" for date in dates]
    (tmp_path / "log").write_text("".join(lines))
    days = [point.seconds / 86400 for point in read_log(tmp_path / "log")]
    assert days == [0, 1, 2]


@pytest.mark.parametrize(
    "line",
    [
        "Iteration 1 (", "Iteration 1 (iters)", ", loss = ", "Train net output #1: ",
        "I0101 00:00:00", "Test net output #1: a = 1 (* ", "lr = ", " = ", "loss)",
        "Iteration ", "1", " ", STAMP,
    ],
)  # fmt: skip
def test_long_lines_take_time_in_proportion(line: str, tmp_path: Path) -> None:
    """A quadratic reader would take minutes."""
    start = f"{STAMP}Iteration 3, x\n{STAMP}Train net output #0: a = "
    for text in (line, f"Iteration 1, {line}"):
        (tmp_path / "log").write_text(start + f"{text}" + line * 100_000)
        read_log(tmp_path / "log")


def test_ever_new_outputs_make_no_giant_table(tmp_path: Path) -> None:
    count = 4000
    log = write(
        tmp_path / "log",
        *(
            text
            for i in range(count)
            for text in (f"Iteration {i}, loss = 1", f"    Train net output #0: o{i} = {i}")
        ),
    )
    assert main(["parse_log", str(log), str(tmp_path)]) == 0
    table = tmp_path / "log.train"
    assert table.stat().st_size < log.stat().st_size
    rows = list(csv.DictReader(table.open(newline="")))
    assert list(rows[0]) == ["NumIters", "Seconds", "LearningRate", "Output", "Value"]
    assert [(row["Output"], row["Value"]) for row in rows] == [
        (f"o{i}", f"{i}.0") for i in range(count)
    ]


def test_a_line_that_never_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("roastery.tools.log_reader.lines.LONGEST", 1000)
    log = write(tmp_path / "log", "x" * 10_000, "Iteration 1, loss = 2")
    assert seen(read_log(log)) == [("loss", "loss", 2, 1)]
    assert "log:1: passed over a line of 1000 characters or more" in caplog.text


def test_pipes_and_folders_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RoasteryError, match="is a pipe, not a file"):
        read_log(tmp_path / "pipe")
    with pytest.raises(RoasteryError, match=r"cannot read the log '.*': Is a directory"):
        read_log(tmp_path)


def test_not_a_json_log(tmp_path: Path) -> None:
    (tmp_path / "log").write_text('{"name": "x"}\n[1, 2]\n')
    with pytest.raises(RoasteryError, match="is not a training log"):
        read_log(tmp_path / "log")
