"""Pictures of logs: the right curves, in the right panels, in a file that opens."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from ir.errors import RoasteryError
from roastery.cli.main import main
from roastery.tools.log_reader import read_log
from roastery.tools.plot_log import collect_curves, plot_logs


@pytest.fixture
def logs(data_dir: Path) -> Path:
    return data_dir / "logs"


def test_curves_of_a_run_with_two_test_nets(logs: Path) -> None:
    panels = collect_curves(read_log(logs / "main.log"))
    assert {panel: sorted(curves) for panel, curves in panels.items()} == {
        "loss": ["test #0 loss", "test #1 loss", "train loss"],
        "outputs": ["test #0 accuracy", "test #1 accuracy", "train accuracy"],
        "learning rate": ["learning rate"],
    }
    loss = panels["loss"]["train loss"]
    assert (loss.iterations, loss.values[0]) == ([0, 10, 20, 30, 40, 50], 1.39937)
    assert panels["outputs"]["test #1 accuracy"].values == [0.208333, 0.708333, 0.791667]
    rate = panels["learning rate"]["learning rate"]
    assert rate.iterations == [0, 10, 20, 30, 40, 50]
    assert rate.values == [0.02, 0.02, 0.002, 0.002, 0.0002, 0.0002]


def test_one_test_net_has_no_number(logs: Path) -> None:
    panels = collect_curves(read_log(logs / "one_test.log"))
    assert sorted(panels["outputs"]) == ["test accuracy"]


def test_png(logs: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = plot_logs([logs / "main.log"], tmp_path / "a.png", x="seconds", title="LeNet")
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(data) > 10_000


def test_svg_of_several_logs(
    logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    output = tmp_path / "a.svg"
    words = [str(logs / "main.log"), str(logs / "multistep.log"), f"--output={output}"]
    assert main(["plot-log", *words]) == 0
    assert capsys.readouterr().out == f"Wrote {output}\n"
    first = output.read_bytes()
    assert ET.fromstring(first).tag.endswith("svg")
    assert main(["plot-log", *words]) == 0
    assert output.read_bytes() == first


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{logs}/main.log", "--output=a.gif"], r"cannot draw into 'a.gif'"),
        (["{logs}/time.log", "--output=a.png"], r"'time' holds no training or test output"),
        (["{logs}/main.log", "--output=no/a.png"], r"cannot write 'no/a.png'"),
        (["--output=a.png"], r"plot_log needs LOGS"),
    ],
)
def test_mistakes(
    words: list[str],
    message: str,
    logs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    assert main(["plot_log", *(word.format(logs=logs) for word in words)]) == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib(logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(RoasteryError, match=r"pip install roastery\[plot\]"):
        plot_logs([logs / "main.log"], tmp_path / "a.png")
