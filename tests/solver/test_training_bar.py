"""`roastery train` on a terminal: how far it is, below the log; nothing in files and pipes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from roastery.cli.main import main
from tests.support.terminal import run_on_terminal


@pytest.fixture
def runs(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(data_dir / "log_runs", tmp_path / "runs")
    monkeypatch.chdir(tmp_path / "runs")
    return tmp_path / "runs"


WORDS = ["train", "--solver=main_solver.prototxt", "--device=reference"]


def test_images_a_second_and_the_time_that_is_left(runs: Path) -> None:
    code, out, drawn = run_on_terminal([*WORDS, "--log_file=file.log"], columns=120)
    assert code == 0 and out == ""
    bars = re.findall(r"\r(training|testing): +(\d+)%\|.*?\| (\d+)/50 \[(.*?)\]", drawn)
    assert {what for what, *_ in bars} == {"training", "testing"}
    last = bars[-1][3]
    assert re.fullmatch(r"00:\d\d<.*, [\d.]+ it/s, [\d.]+ images/s, loss [\d.]+", last), last
    its, images = (float(n) for n in re.findall(r"([\d.]+) (?:it|images)/s", last))
    assert images == pytest.approx(16 * its, rel=0.02)
    # Each line of the log stands in a line of its own, and the bar is gone in the end.
    shown = [re.sub(r"^.*\r", "", line) for line in drawn.splitlines() if "training:" not in line]
    assert any(re.match(r"I\d{4} .* Iteration 10 \(", line) for line in shown)
    assert drawn.rstrip("\r").endswith("Optimization Done.\r\n")
    text = (runs / "file.log").read_text()
    assert "images/s" not in text and "\r" not in text


def test_a_run_that_goes_on_begins_where_it_was(runs: Path) -> None:
    words = [*WORDS, "--snapshot=main_iter_25.solverstate"]
    _, _, drawn = run_on_terminal(words)
    assert re.findall(r"\| (\d+)/50", drawn)[0] == "25"


def test_no_bar(runs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert "images/s" not in run_on_terminal([*WORDS, "--noprogress"])[2]
    assert "images/s" not in run_on_terminal(WORDS, TERM="dumb")[2]
    assert main(WORDS) == 0
    err = capfd.readouterr().err
    assert "images/s" not in err and "\r" not in err and "Optimization Done." in err


def test_an_error_ends_the_bar(runs: Path) -> None:
    (runs / "failing_layer.py").write_text("""
import roastery.caffe as caffe
class Failing(caffe.Layer):
    def setup(self, bottom, top): self.passes = 0
    def reshape(self, bottom, top): top[0].reshape(1)
    def forward(self, bottom, top):
        self.passes += 1
        if self.passes > 40: raise ValueError("enough")
    def backward(self, *rest): pass
""")
    (runs / "net.prototxt").write_text("""
        layer { name: "d" type: "DummyData" top: "x" dummy_data_param { shape { dim: 2 dim: 3 } } }
        layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y"
          inner_product_param { num_output: 1 } }
        layer { name: "f" type: "Python" bottom: "y" top: "loss" loss_weight: 1
          python_param { module: "failing_layer" layer: "Failing" } }
    """)
    (runs / "s.prototxt").write_text(
        'net: "net.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 90 display: 1\n'
    )
    code, _, drawn = run_on_terminal(
        ["train", "--solver=s.prototxt", "--device=reference", "--python_layers"]
    )
    assert code == 1 and "| 20/90" in drawn, drawn
    last = drawn[drawn.rindex("training:") :]
    assert re.search(r"\r +\r.*error: .*enough", last, re.DOTALL), "the bar goes, then the error"
