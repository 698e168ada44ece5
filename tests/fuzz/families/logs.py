"""Training logs, as text and as JSON."""

from __future__ import annotations

import io
import re
from pathlib import Path

from roastery.tools.parse_log import parse_log, save_csv_files
from roastery.tools.plot_log import plot_logs
from runtime.logging import CaffeLog, NetOutput

from ..inputs import Sample, one_file
from ..targets import Target, register
from .places import texts


def _logs(room: Path) -> list[Sample]:
    names = ("main", "one_test", "one_test_year_prefix", "resume", "multistep", "sigint")
    # The lines that count; the nets at the beginning are long.
    return [
        one_file("run.log", "".join(line for line in text.splitlines(True) if " output #" in line
                                    or "Iteration" in line or "Solving" in line))
        for name in names
        for _, text in texts(f"logs/{name}.log", most=10**6)
    ]  # fmt: skip


def _json_logs(room: Path) -> list[Sample]:
    path = room / "log.json"
    with CaffeLog.open(io.StringIO(), json_path=path) as log:
        log.solving("net", "step")
        for iteration in (0, 10, 20):
            for net in (0, 1):
                log.testing_net(iteration, net)
                log.test_outputs(
                    [NetOutput("acc", (0.5,)), NetOutput("each", (0.25, 1, float("nan")))]
                )
            log.iteration(iteration, 1.5, done=10, seconds=1.0, display=10)
            log.train_outputs([NetOutput("loss", (1.5,), 1.0)])
            log.learning_rate(iteration, 0.01)
        log.final_loss(30, 0.25)
    return [one_file("log.json", re.sub(r'"seconds": [^,}]+', '"seconds": 1.5', path.read_text()))]


def _parse(path: Path) -> object:
    save_csv_files(path, path.parent, parse_log(path))
    return None


def _plot(path: Path) -> object:
    plot_logs([path], path.with_name("log.png"), title="$x_")
    return None


_TABLES = tuple(f"{name}.{part}" for name in ("run.log", "log.json") for part in ("train", "test"))
register(Target("log (parse_log)", _logs, _parse, "text", leaves=_TABLES))
register(Target("log (plot_log)", _logs, _plot, "text", leaves=("log.png",)))
register(Target("JSON log (parse_log)", _json_logs, _parse, "json", leaves=_TABLES))
register(Target("JSON log (plot_log)", _json_logs, _plot, "json", leaves=("log.png",)))
