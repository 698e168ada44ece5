"""Every line of logs that Caffe wrote is rebuilt from its values, prefix included."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from runtime.data import database
from runtime.data.datums import source as datum_source
from runtime.data.notes import to_log
from runtime.logging import CaffeLine, CaffeLog, LogRecord, NetOutput, Severity, format_line
from runtime.logging.command_lines import LayerTime
from runtime.logging.numbers import as_float32

LOGS = [
    "main",
    "one_test",
    "one_test_year_prefix",
    "debug_info",
    "clip_gradients",
    "multistep",
    "resume",
    "test",
    "time",
    "time_test_phase",
    "sigint",
]

PREFIX = re.compile(
    r"^([IWEF])(\d{4}|\d{8}) (\d\d:\d\d:\d\d)\.(\d{6}) +(\d+) ([\w.]+):(\d+)\] ", re.MULTILINE
)


def unrounded_norm(norm: float, limit: float, factor: float) -> float:
    """The norm that prints as ``norm`` and scales by what prints as ``factor``."""
    near = (as_float32(norm + step * 1e-8) for step in range(-500, 501))
    return next(
        value
        for value in near
        if f"{value:g}" == f"{norm:g}" and f"{as_float32(limit / value):g}" == f"{factor:g}"
    )


# (pattern of the text, what writes it). The match's groups are the values.
Rebuild = Callable[[CaffeLog, re.Match[str]], None]
REBUILD: list[tuple[str, Rebuild]] = [
    (r"Initializing solver from parameters: \n(.*)", lambda log, m: log.initializing_solver(m[1])),
    (
        r"Creating training net from (train_)?net file: (.*)",
        lambda log, m: log.creating_training_net(f"{m[1] or ''}net", m[2]),
    ),
    (
        r"Creating test net \(#(\d+)\) specified by (.*)",
        lambda log, m: log.creating_test_net(int(m[1]), m[2]),
    ),
    (
        r"snapshot_prefix was not specified and is set to (.*)",
        lambda log, m: log.snapshot_prefix_set(m[1]),
    ),
    (r"Solver scaffolding done\.", lambda log, m: log.scaffolding_done()),
    (r"SGDSolver: restoring history", lambda log, m: log.restoring_history()),
    (
        r"Iteration (\d+) \((.*) iter/s, (.*)s/(\d+) iters\), loss = (.*)",
        lambda log, m: log.iteration(
            int(m[1]),
            float(m[5]),
            done=round(float(m[2]) * (float(m[3]) or 1)),
            seconds=float(m[3]),
            display=int(m[4]),
        ),
    ),
    (
        r"    Train net output #(\d+): (.*?) = (\S+)(?: \(\* (\S+) = .* loss\))?",
        lambda log, m: log.train_output(int(m[1]), m[2], float(m[3]), float(m[4] or 0)),
    ),
    (
        r"    Test net output #(\d+): (.*?) = (\S+)(?: \(\* (\S+) = .* loss\))?",
        lambda log, m: log.test_output(int(m[1]), m[2], float(m[3]), float(m[4] or 0)),
    ),
    (r"Iteration (\d+), lr = (.*)", lambda log, m: log.learning_rate(int(m[1]), float(m[2]))),
    (
        r"MultiStep Status: Iteration (\d+), step = (\d+)",
        lambda log, m: log.learning_rate_step(int(m[1]), int(m[2])),
    ),
    (
        r"Iteration (\d+), Testing net \(#(\d+)\)",
        lambda log, m: log.testing_net(int(m[1]), int(m[2])),
    ),
    (r"Test loss: (.*)", lambda log, m: log.test_loss(float(m[1]))),
    (r"Iteration (\d+), loss = (.*)", lambda log, m: log.final_loss(int(m[1]), float(m[2]))),
    (r"Snapshotting to binary proto file (.*)", lambda log, m: log.snapshotting(m[1])),
    (r"Snapshotting to HDF5 file (.*)", lambda log, m: log.snapshotting(m[1], "HDF5")),
    (
        r"Snapshotting solver state to binary proto file (.*)",
        lambda log, m: log.snapshotting_state(m[1]),
    ),
    (
        r"Snapshotting solver state to HDF5 file (.*)",
        lambda log, m: log.snapshotting_state(m[1], "HDF5"),
    ),
    (r"Optimization stopped early\.", lambda log, m: log.stopped_early()),
    (r"Starting Optimization", lambda log, m: log.starting_optimization()),
    (r"Resuming from (.*)", lambda log, m: log.resuming_from(m[1])),
    (r"Running for (\d+) iterations\.", lambda log, m: log.running_for(int(m[1]))),
    (
        r"Batch (\d+), (.*) = (.*)",
        lambda log, m: log.batch_output(int(m[1]), m[2], float(m[3])),
    ),
    (r"Loss: (.*)", lambda log, m: log.mean_loss(float(m[1]))),
    (
        r"(accuracy|loss) = (\S+)(?: \(\* (\S+) = .* loss\))?",
        lambda log, m: log.mean_output(m[1], float(m[2]), float(m[3] or 0)),
    ),
    (r"Performing Forward", lambda log, m: log.performing_forward()),
    (r"Initial loss: (.*)", lambda log, m: log.initial_loss(float(m[1]))),
    (r"Performing Backward", lambda log, m: log.performing_backward()),
    (
        r"Iteration: (\d+) forward-backward time: (.*) ms\.",
        lambda log, m: log.iteration_time(int(m[1]), float(m[2])),
    ),
    (
        r"The NetState phase \((\d)\) differed from the phase \((\d)\) specified by a rule in "
        r"layer (.*)",
        lambda log, m: log.rule_phase_differs(int(m[1]), int(m[2]), m[3]),
    ),
    (r"Initializing net from parameters: \n(.*)", lambda log, m: log.initializing_net(m[1])),
    (r"(\S+) <- (\S+)", lambda log, m: log.bottom(m[1], m[2])),
    (r"(\S+) -> (\S+) \(in-place\)", lambda log, m: log.top(m[1], m[2], in_place=True)),
    (r"(\S+) -> (\S+)", lambda log, m: log.top(m[1], m[2])),
    (r"Setting up (.*)", lambda log, m: log.setting_up(m[1])),
    (
        r"Top shape: ((?:\d+ )*)\(\d+\)",
        lambda log, m: log.top_shape([int(extent) for extent in m[1].split()]),
    ),
    (r"    with loss weight (.*)", lambda log, m: log.loss_weight(float(m[1]))),
    (r"Memory required for data: (\d+)", lambda log, m: log.memory_required(int(m[1]))),
    (r"(\S+) needs backward computation\.", lambda log, m: log.needs_backward(m[1], True)),
    (
        r"(\S+) does not need backward computation\.",
        lambda log, m: log.needs_backward(m[1], False),
    ),
    (r"This network produces output (.*)", lambda log, m: log.produces_output(m[1])),
    (r"Network initialization done\.", lambda log, m: log.initialization_done()),
    (r"Opened lmdb (.*)", lambda log, m: to_log(log)(database.OPENED["LMDB"](path=m[1]))),
    (
        r"output data size: (.*)",
        lambda log, m: to_log(log)(datum_source.SIZE(shape=m[1])),
    ),
    (
        r"Restarting data prefetching from start\.",
        lambda log, m: to_log(log)(datum_source.RESTARTING()),
    ),
    (
        r"    \[Forward\] Layer (\S+), top blob (\S+) data: (.*)",
        lambda log, m: log.debug_forward_top(m[1], m[2], float(m[3])),
    ),
    (
        r"    \[Forward\] Layer (\S+), param blob (\S+) data: (.*)",
        lambda log, m: log.debug_forward_param(m[1], m[2], float(m[3])),
    ),
    (
        r"    \[Backward\] Layer (\S+), bottom blob (\S+) diff: (.*)",
        lambda log, m: log.debug_backward_bottom(m[1], m[2], float(m[3])),
    ),
    (
        r"    \[Backward\] Layer (\S+), param blob (\d+) diff: (.*)",
        lambda log, m: log.debug_backward_param(m[1], int(m[2]), float(m[3])),
    ),
    (
        r"    \[Backward\] All net params \(data, diff\): L1 norm = \((.*), (.*)\); "
        r"L2 norm = \((.*), (.*)\)",
        lambda log, m: log.debug_all_params(*map(float, m.groups())),
    ),
    (
        r"Gradient clipping: scaling down gradients \(L2 norm (\S+) > (\S+)\) "
        r"by scale factor (.*)",
        lambda log, m: log.clipping_gradients(unrounded_norm(*map(float, m.groups())), float(m[2])),
    ),
]
COMPILED = [(re.compile(pattern, re.DOTALL), rebuild) for pattern, rebuild in REBUILD]

# Lines that one call writes together with others, or whose call depends on where they stand.
# They have tests of their own below.
ELSEWHERE = re.compile(
    r"Creating [Ll]ayer |Solving |Learning Rate Policy|Use CPU|Optimization Done|\*\*\* Benchmark|"
    r"Testing for |Average |Total Time|.{10,}\t(for|back)ward: "
)

#: Caffe 1.0 prints memory that it never initialised as the first speed of a run.
GARBAGE = re.compile(r"\(-?\d\.\d+e-\d\d iter/s")


class Collector:
    """A handler that keeps the records."""

    def __init__(self) -> None:
        self.records: list[LogRecord] = []

    def handle(self, record: LogRecord) -> None:
        self.records.append(record)

    def close(self) -> None:
        pass


def messages(text: str) -> list[str]:
    """The messages of a log; one may have several lines."""
    starts = [match.start() for match in PREFIX.finditer(text)]
    ends = [*starts[1:], len(text)]
    return [text[start:end].removesuffix("\n") for start, end in zip(starts, ends, strict=True)]


def written(rebuild: Callable[[CaffeLog], object]) -> list[LogRecord]:
    collector = Collector()
    rebuild(CaffeLog([collector]))
    return collector.records


def stamped(record: LogRecord, message: str) -> str:
    """The record as a line, written at the time and by the thread of the recorded message."""
    match = PREFIX.match(message)
    assert match is not None
    date = match[2]
    moment = datetime.strptime(f"{date[:-4] or '2026'}{date[-4:]} {match[3]}", "%Y%m%d %H:%M:%S")
    seconds = int(time.mktime(moment.timetuple()))
    timed = LogRecord(
        record.severity,
        record.source,
        record.text,
        timestamp=seconds + int(match[4]) / 1e6,
        thread=int(match[5]),
        body=record.body,
    )
    line = format_line(timed)
    return line[0] + date[:-4] + line[1:]


@pytest.mark.parametrize("name", LOGS)
def test_rebuilds_every_line_of_caffes_log(name: str, data_dir: Path) -> None:
    text = (data_dir / "logs" / f"{name}.log").read_text()
    rebuilt = 0
    for message in messages(text):
        body = PREFIX.sub("", message, count=1)
        if ELSEWHERE.match(body):
            continue
        for pattern, rebuild in COMPILED:
            if match := pattern.fullmatch(body):
                (record,) = written(partial(_call, rebuild, match))
                expected = GARBAGE.sub("(0 iter/s", message)
                assert stamped(record, message) == expected
                rebuilt += 1
                break
        else:
            pytest.fail(f"no line family for: {body}")
    assert rebuilt > 50


def _call(rebuild: Rebuild, match: re.Match[str], log: CaffeLog) -> None:
    rebuild(log, match)


def lines(records: list[LogRecord]) -> list[str]:
    return [f"{r.severity.value} {r.source}] {r.text}" for r in records]


def recorded(text: str, pattern: str) -> list[str]:
    """Messages of a recorded log that match, without date, time and thread."""
    short = [PREFIX.sub(r"\1 \6:\7] ", message, count=1) for message in messages(text)]
    return [line for line in short if re.search(pattern, line)]


def test_layer_creation(data_dir: Path) -> None:
    text = (data_dir / "logs" / "main.log").read_text()
    expected = recorded(text, r"Creating [Ll]ayer (conv1|loss)$")[:5]

    def rebuild(log: CaffeLog) -> None:
        log.creating_layer("conv1")
        log.creating_layer("loss")
        log.creating_layer("loss", registry_only=True)

    assert lines(written(rebuild)) == expected


def test_start_and_end_of_training(data_dir: Path) -> None:
    text = (data_dir / "logs" / "main.log").read_text()
    expected = recorded(text, r"Use CPU|Solving|Learning Rate Policy|Optimization Done")

    def rebuild(log: CaffeLog) -> None:
        log.use_cpu()
        log.solving("TinyLeNet", "step")
        log.optimization_done()
        log.train_done()

    assert lines(written(rebuild)) == expected


def test_benchmark(data_dir: Path) -> None:
    text = (data_dir / "logs" / "time.log").read_text()
    pattern = r"Use CPU|\*\*\*|Testing for|Average|Total|ward: "
    expected = recorded(text, pattern)
    layers = re.findall(r"\] +(\S+)\tforward: (\S+) ms\.\n.*backward: (\S+) ms\.", text)

    def rebuild(log: CaffeLog) -> None:
        log.use_cpu("time")
        log.benchmark_begins(3)
        log.layer_times(
            [
                LayerTime(name, step, float(time))
                for name, fore, back in layers
                for step, time in (("forward", fore), ("backward", back))
            ]
        )
        log.benchmark_ends(0.34, 0.644 / 3, 1 / 3, 1)

    assert len(layers) == 9
    assert lines(written(rebuild)) == expected


def test_rates_of_layers_that_multiply() -> None:
    times = [LayerTime("conv", "forward", 2.0, 10**7), LayerTime("relu", "forward", 1.0)]
    for peak, shown in ((0.0, ""), (4e10, ", 25% of peak")):
        _, conv, relu = written(lambda log, peak=peak: log.layer_times(times, peak))
        assert conv.text == f"      conv\tforward: 2 ms. 10 GFLOP/s{shown}"
        assert relu.text == "      relu\tforward: 1 ms."
        assert conv.values["gflops"] == 10.0 and "gflops" not in relu.values
        assert conv.values.get("of_peak") == (0.25 if peak else None)


def test_test_command_says_its_own_cpu_line(data_dir: Path) -> None:
    text = (data_dir / "logs" / "test.log").read_text()
    assert lines(written(lambda log: log.use_cpu("test"))) == recorded(text, "Use CPU")


def test_outputs_are_numbered_by_element() -> None:
    outputs = [
        NetOutput("accuracy", (0.5,)),
        NetOutput("loss", (0.25,), 2.0),
        NetOutput("probability", (0.1, 0.9)),
    ]
    texts = [record.text for record in written(lambda log: log.train_outputs(outputs))]
    assert texts == [
        "    Train net output #0: accuracy = 0.5",
        "    Train net output #1: loss = 0.25 (* 2 = 0.5 loss)",
        "    Train net output #2: probability = 0.1",
        "    Train net output #3: probability = 0.9",
    ]
    texts = [record.text for record in written(lambda log: log.test_outputs(outputs))]
    assert texts[3] == "    Test net output #3: probability = 0.9"


def test_gpu_lines() -> None:
    (record,) = written(lambda log: log.use_gpu(1))
    assert record.text == "Using GPUs 1"


def test_norms_are_errors_as_in_caffe() -> None:
    (record,) = written(lambda log: log.debug_all_params(1, 2, 3, 4))
    assert record.severity is Severity.ERROR


def test_silent_log_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    CaffeLog().solving("net", "fixed")
    assert capsys.readouterr() == ("", "")


def test_writes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with CaffeLog.open() as log:
        log.write(CaffeLine("solver.cpp", 1), "two", body="lines\n")
    out, err = capsys.readouterr()
    assert out == ""
    assert PREFIX.match(err)
    assert err.endswith("solver.cpp:1] two\nlines\n")
