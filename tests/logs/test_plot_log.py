"""Pictures of logs: the right curves, in the right panels, in a file that opens."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ir.errors import RoasteryError
from roastery.cli.main import main
from roastery.tools.log_reader import read_log
from roastery.tools.plot_log import Axis, Curve, collect_curves, plot_logs
from roastery.tools.plot_log.look import Look
from roastery.tools.plot_log.panel import DrawnPanel
from roastery.tools.plot_log.smoothing import smoothed
from roastery.tools.plot_log.thinning import PIECES, line_pieces


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


STAMP = "I0101 00:00:01.000000  1 s.cpp:1] "


def write(path: Path, *texts: str) -> Path:
    path.write_text("".join(STAMP + text + "\n" for text in texts))
    return path


def picture(log: Path, **options: Any) -> str:
    """An SVG, whose texts stand in comments."""
    pytest.importorskip("matplotlib")
    path = plot_logs([log], log.with_suffix(".svg"), **options)
    ET.parse(path)
    return path.read_text()


@pytest.mark.parametrize("x", ["iterations", "seconds"])
def test_where_values_stop_being_finite(
    x: Axis, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    losses = ["3", "2", "nan", "1", "nan", "-inf", "inf"]
    log = write(
        tmp_path / "log", *(f"Iteration {10 * i}, loss = {v}" for i, v in enumerate(losses))
    )
    svg = picture(log, x=x)
    assert svg.count("NaN from iteration 20 on") == 1
    assert svg.count("infinite from iteration 50 on") == 1
    assert caplog.messages == [
        "log: train loss is NaN from iteration 20 on",
        "log: train loss is infinite from iteration 50 on",
    ]


def test_nothing_but_nan(tmp_path: Path) -> None:
    log = write(
        tmp_path / "log",
        "Iteration 0, Testing net (#0)", "    Test net output #0: acc = nan",
        "Iteration 0, loss = nan", "Iteration 0, lr = nan",
    )  # fmt: skip
    assert picture(log).count("NaN from iteration 0 on") == 3


def test_finite_logs_are_not_marked(logs: Path, tmp_path: Path) -> None:
    log = tmp_path / "main.log"
    log.write_bytes((logs / "main.log").read_bytes())
    assert "from iteration" not in picture(log)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("acc_$x^{$", "acc_$x^{$"), (r"$\frac{a$", r"$\frac{a$"), ("$$", "$$"),
        ("_hidden", "_hidden"), ("a\x01\x1b[31m", "a\ufffd\ufffd[31m"), ("x" * 9000, "..."),
        (r"\alpha_1", r"\alpha_1"),
    ],
)  # fmt: skip
def test_names_are_no_formulas(name: str, shown: str, tmp_path: Path) -> None:
    log = write(
        tmp_path / "log",
        "Iteration 0, Testing net (#0)",
        f"    Test net output #0: {name} = 1",
        "    Test net output #1: other = 2",
    )
    svg = picture(log, title=name)
    assert f"<!-- test {shown} -->" in svg or shown == "..."
    assert f"<!-- {shown} -->" in svg or shown == "..."
    two = tmp_path / "_2.log"
    two.write_bytes(log.read_bytes())
    assert plot_logs([log, two], tmp_path / "two.png").stat().st_size > 1000


@pytest.mark.parametrize(
    "lines",
    [
        ["Iteration -5, loss = 1e400", "Iteration -2147483648, loss = -1e308"],
        ["Iteration 99999999999999999, loss = 1e308", "Iteration 0, loss = -1e308"],
        ["Iteration 1, loss = " + "9" * 5000, "Iteration 2, loss = -3e38"],
        ["Iteration 1, lr = 1e-320", "Iteration 2, lr = 1e-5", "Iteration 3, lr = 1e90"],
        ["Iteration 1, lr = 0", "Iteration 2, lr = -1", "Iteration 3, lr = inf"],
    ],
)  # fmt: skip
def test_absurd_values(lines: list[str], tmp_path: Path) -> None:
    assert "svg" in picture(write(tmp_path / "log", *lines))


def test_many_outputs_and_values(tmp_path: Path) -> None:
    values = [f"    Test net output #{i}: p = {i}" for i in range(3000)]
    log = write(tmp_path / "log", "Iteration 0, Testing net (#0)", *values)
    panels = collect_curves(read_log(log))
    assert list(panels["outputs"])[:2] == ["test p[0]", "test p[1]"]
    svg = picture(log)
    assert "<!-- test p[15] -->" in svg and "<!-- 2984 more -->" in svg


def test_long_curves_are_thinned_and_keep_their_extremes() -> None:
    y = np.sin(np.arange(200_000) / 1000)
    y[77_777], y[123_456], y[50_000:50_010] = 9, -9, np.nan
    x = np.arange(200_000.0)
    x[150_000:] -= 100_000
    thin_x, thin_y = line_pieces(x, y)
    assert len(thin_x) <= 5 * PIECES
    assert (np.nanmax(thin_y), np.nanmin(thin_y)) == (9, -9)
    assert thin_x[np.nanargmax(thin_y)] == 77_777
    broken = thin_x[np.isnan(thin_y)]
    assert broken.tolist() == [50_000, 50_000] or set(broken) >= {50_000}
    assert (thin_x[0], thin_x[-1]) == (0, 99_999)
    # A line goes back only over a gap.
    back = np.flatnonzero(np.diff(thin_x) < 0)
    assert len(back) == 1 and np.isnan(thin_y[back + 1]).all()


def test_json_logs_are_drawn(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(
        '{"event": "train", "seconds": 1, "iteration": 0, "loss": 1, "lr": 0.1, "outputs": {}}\n'
        '{"event": "train", "seconds": 2, "iteration": 9, "loss": "NaN", "lr": 0.1}\n'
        '{"event": "test", "seconds": 2, "iteration": 9, "net": 0, "outputs": {"acc": [0.5, 1]}}\n'
    )
    svg = picture(tmp_path / "run.json")
    assert "NaN from iteration 9 on" in svg and "<!-- test acc[1] -->" in svg


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


# --- axes, smoothing, colours -------------------------------------------------------------


def axes_of(named: Any, **look: Any) -> Any:
    """The axes that a panel of losses was drawn into."""
    figures = pytest.importorskip("matplotlib.figure")
    axis = figures.Figure().subplots()
    DrawnPanel(axis, "loss", named, Look(**look)).draw()
    return axis


def run_of(*losses: float, start: int = 0, test: bool = False) -> Any:
    curve = Curve(test, "loss")
    for number, loss in enumerate(losses):
        curve.iterations.append(start + number)
        curve.seconds.append(float(number))
        curve.values.append(loss)
    return {"loss": {"test loss" if test else "train loss": curve}}


def test_smoothing_is_a_mean_that_does_not_start_at_zero() -> None:
    found = smoothed(np.arange(4.0), np.array([4.0, 2, np.nan, 2]), 0.5)
    assert found[[0, 1, 3]] == pytest.approx([4, (1 + 1) / 0.75, (0.5 + 0.5 + 1) / 0.875])
    assert np.isnan(found[2])
    again = smoothed(np.array([0.0, 1, 0]), np.array([9.0, 9, 1]), 0.9)
    assert again == pytest.approx([9, 9, 1])


def test_what_is_smoothed_is_seen_behind() -> None:
    axis = axes_of({"a": run_of(4, 2, 2)}, smoothing=0.5)
    raw, smooth = axis.get_lines()
    assert raw.get_ydata().tolist() == [4, 2, 2] and raw.get_alpha() < 0.5
    assert smooth.get_ydata()[1] == pytest.approx(2 / 0.75)
    (tested,) = axes_of({"a": run_of(4, 2, test=True)}, smoothing=0.5).get_lines()
    assert tested.get_ydata().tolist() == [4, 2]


def test_a_logarithmic_axis(caplog: pytest.LogCaptureFixture) -> None:
    assert axes_of({"a": run_of(4, 2)}).get_yscale() == "linear"
    assert axes_of({"a": run_of(4, 2)}, log_y=True).get_yscale() == "log" and not caplog.messages
    assert axes_of({"a": run_of(4, 0)}, log_y=True).get_yscale() == "log"
    assert axes_of({"a": run_of(-4, 0)}, log_y=True).get_yscale() == "linear"
    assert len(caplog.messages) == 2 and "logarithmic" in caplog.messages[0]


@pytest.mark.parametrize("count", [2, 10, 11, 39])
def test_each_run_has_one_colour(count: int) -> None:
    runs = {}
    for number in range(count):
        runs[f"run {number}"] = {
            "loss": {**run_of(3, 1)["loss"], **run_of(3, 2, test=True)["loss"]}
        }
    axis = axes_of(runs)
    colors = [line.get_color() for line in axis.get_lines()]
    assert colors[::2] == colors[1::2] and len(set(colors)) == count
    train, test = axis.get_lines()[:2]
    assert train.get_linestyle() != test.get_linestyle() and test.get_marker() != "None"
    names = [text.get_text() for text in axis.get_legend().get_texts()]
    assert names == [*runs, "train loss", "test loss"]


def test_very_many_runs() -> None:
    axis = axes_of({f"{number}": run_of(3, 1) for number in range(50)})
    assert len(axis.get_lines()) == 41
    assert axis.get_legend().get_texts()[-1].get_text() == "10 more"


def test_all_flags_at_once(logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    words = [str(logs / "main.log"), str(logs / "multistep.log"), "--log_y", "--log_x"]
    output = tmp_path / "a.svg"
    assert main(["plot_log", *words, "--smoothing=0.6", f"--output={output}"]) == 0
    text = output.read_text()
    assert "<!-- main -->" in text and "<!-- multistep -->" in text
    assert "<!-- learning rate -->" in text
    assert main(["plot_log", *words, "--smoothing=1", f"--output={output}"]) == 1
    assert "a smoothing of 1 cannot be" in capsys.readouterr().err
