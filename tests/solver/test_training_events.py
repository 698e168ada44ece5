"""`roastery train --tensorboard`: read back by TensorBoard's own reader."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ir.errors import RoasteryError
from roastery.cli.main import main
from roastery.tools.log_reader import read_log
from roastery.training.events.event_file import EventFile
from roastery.training.events.filters import filter_picture
from roastery.training.events.png import png

pytest.importorskip("tensorboardX", reason="`make setup` installs it")
accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


#: All of what is in a file, not a choice of it.
KINDS = ("scalars", "images", "histograms")


@pytest.fixture
def runs(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(data_dir / "log_runs", tmp_path / "runs")
    monkeypatch.chdir(tmp_path / "runs")
    return tmp_path / "runs"


def train(*words: str, solver: str = "main_solver.prototxt") -> None:
    log = "--log_file=train.log"
    assert main(["train", f"--solver={solver}", "--device=cpu", log, *words]) == 0


def events(folder: str | Path) -> Any:
    found = accumulators.EventAccumulator(str(folder), size_guidance=dict.fromkeys(KINDS, 0))
    found.Reload()
    return found


def scalars(found: Any, tag: str) -> dict[int, float]:
    each = found.Scalars(tag)
    assert len({e.step for e in each}) == len(each), "no step is there twice"
    return {e.step: e.value for e in each}


def test_a_run_in_numbers_histograms_and_pictures(runs: Path) -> None:
    train("--tensorboard=events/run")
    found = events("events/run")
    points = read_log("train.log")
    wanted = {p.iteration: p.value for p in points if p.kind == "loss"}
    assert scalars(found, "train/loss") == pytest.approx(wanted, rel=1e-4)
    rates = {p.iteration: p.value for p in points if p.kind == "rate"}
    assert scalars(found, "train/learning_rate") == pytest.approx(rates, rel=1e-4)
    for net, room in ((0, "test"), (1, "test1")):
        accuracy = {
            p.iteration: p.value
            for p in points
            if p.kind == "test" and p.net == net and p.name == "accuracy"
        }
        assert scalars(found, f"{room}/accuracy") == pytest.approx(accuracy, rel=1e-4)
        assert scalars(found, f"{room}/loss").keys() == accuracy.keys()
        assert f"{room}/test_loss" in found.Tags()["scalars"]
    assert "train/output/loss" in found.Tags()["scalars"]
    images = scalars(found, "train/images_per_second")
    assert images == pytest.approx(
        {k: 16 * v for k, v in scalars(found, "train/iterations_per_second").items()}, rel=1e-4
    )
    # As often as it tests, and the last one.
    for kind in ("weights", "gradients"):
        each = found.Histograms(f"{kind}/conv1/0")
        assert [e.step for e in each] == [0, 20, 40, 49]
        assert all(e.histogram_value.num == 6 * 9 for e in each)
    assert {"gradients/ip2/1", "weights/ip2/1"} <= set(found.Tags()["histograms"])
    pictures = found.Images("filters/conv1")
    assert [e.step for e in pictures] == [0, 20, 40, 49]
    assert pictures[0].encoded_image_string != pictures[-1].encoded_image_string


def test_gradients_are_those_of_the_log(runs: Path) -> None:
    """The sum of squares of all gradients is that of Caffe's clip_gradients."""
    train("--tensorboard=e", "--tensorboard_every=10", solver="clip_solver.prototxt")
    found = events("e")
    norms = scalars(found, "train/gradient_norm")
    assert norms
    tags = [tag for tag in found.Tags()["histograms"] if tag.startswith("gradients/")]
    for step in set(norms) & {0, 10, 20}:
        squares = sum(
            e.histogram_value.sum_squares
            for tag in tags
            for e in found.Histograms(tag)
            if e.step == step
        )
        assert np.sqrt(squares) == pytest.approx(norms[step], rel=1e-3)


def test_a_run_that_goes_on_continues_its_steps(runs: Path) -> None:
    words = "--tensorboard=e"
    train(words)
    whole = scalars(events("e"), "train/loss")
    train(words, "--snapshot=main_iter_25.solverstate")
    found = events("e")
    again = scalars(found, "train/loss")
    assert list(again) == list(whole) == [0, 10, 20, 30, 40, 50]
    assert len(list((runs / "e").iterdir())) == 2
    assert [e.step for e in found.Histograms("weights/conv1/0")] == [0, 20, 40, 49]
    # The files of a run that began anew take the place of all that was there.
    train(words)
    assert list(scalars(events("e"), "train/loss")) == list(whole)


def test_a_solver_that_displays_nothing(runs: Path) -> None:
    text = (runs / "main_solver.prototxt").read_text().replace("display: 10", "display: 0")
    (runs / "quiet.prototxt").write_text(text)
    train("--tensorboard=e", solver="quiet.prototxt")
    found = events("e")
    losses = scalars(found, "train/loss")
    assert list(losses) == list(range(50)) and losses[49] < losses[0]
    assert scalars(found, "train/learning_rate")[20] == pytest.approx(0.002)
    assert list(scalars(found, "test/accuracy")) == [0, 20, 40]


def test_without_the_package(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    words = ["train", "--solver=main_solver.prototxt", "--tensorboard=e"]
    assert main(words) == 1
    assert "pip install roastery[tensorboard]" in capsys.readouterr().err
    assert not (runs / "e").exists()


def test_a_folder_that_cannot_be(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (runs / "taken").write_text("")
    for folder in ("taken", "taken/e"):
        words = ["train", "--solver=main_solver.prototxt", f"--tensorboard={folder}"]
        assert main(words) == 1
        assert f"cannot write events into '{folder}'" in capsys.readouterr().err


def test_values_that_are_no_numbers(tmp_path: Path) -> None:
    file = EventFile(str(tmp_path / "e"), 0)
    file.scalar("loss", 1, float("nan"))
    file.scalar("loss", 2, float("-inf"))
    file.histogram("w", 1, np.array([np.nan, 1, np.inf, 3], np.float32))
    file.histogram("w", 2, np.full(3, np.nan, np.float32))
    file.close()
    found = events(tmp_path / "e")
    values = [e.value for e in found.Scalars("loss")]
    assert np.isnan(values[0]) and values[1] == -np.inf
    (one,) = found.Histograms("w")
    assert (one.step, one.histogram_value.num, one.histogram_value.sum) == (1, 2, 4.0)


def test_a_full_disk_does_not_end_the_training(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device that is always full takes the place of the file."""
    made = EventFile.__init__

    def full(self: EventFile, folder: str, step: int) -> None:
        made(self, folder, step)
        self._file._py_recordio_writer._writer = Path("/dev/full").open("wb", 0)  # noqa: SIM115

    monkeypatch.setattr(EventFile, "__init__", full)
    train("--tensorboard=e")
    text = (runs / "train.log").read_text()
    assert text.count("the log no longer reaches 'e' (No space left on device)") == 1
    assert text.count("no histograms reach 'e'") == 1 and "Optimization Done." in text


# --- pictures -----------------------------------------------------------------------------


def test_a_picture_of_filters_is_read_as_it_was_made() -> None:
    cv2 = pytest.importorskip("cv2")
    weights = np.random.default_rng(0).standard_normal((5, 3, 4, 4))
    pixels = filter_picture(weights)
    read = cv2.imdecode(np.frombuffer(png(pixels), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(read[:, :, ::-1], pixels)
    side = 4 * 6 + 1
    assert pixels.shape == (2 * side + 1, 3 * side + 1, 3)
    # The first weight is that of blue, the picture's last channel.
    level = round(127.5 + 127.5 * weights[0, 0, 0, 0] / np.abs(weights).max())
    assert pixels[1, 1, 2] == level


@pytest.mark.parametrize("shape", [(1, 1, 3, 3), (2, 7, 5, 2), (300, 3, 30, 30)])
def test_filters_of_any_shape(shape: tuple[int, ...]) -> None:
    assert filter_picture(np.zeros(shape)).ndim == 3
    assert filter_picture(np.full(shape, np.nan)).dtype == np.uint8


def test_units_that_look_at_whole_pictures(runs: Path) -> None:
    (runs / "net.prototxt").write_text("""
        layer { name: "d" type: "DummyData" top: "data" top: "label" dummy_data_param {
          shape { dim: 4 dim: 1 dim: 6 dim: 5 } shape { dim: 4 }
          data_filler { type: "gaussian" } data_filler { type: "constant" } } }
        layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
          inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
    """)
    (runs / "s.prototxt").write_text(
        'net: "net.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 3 display: 1\n'
    )
    train("--tensorboard=e", solver="s.prototxt")
    found = events("e")
    (first, *_) = found.Images("filters/ip")
    assert (first.width, first.height) == (2 * 26 + 1, 2 * 31 + 1)
    assert list(scalars(found, "train/loss")) == [0, 1, 2, 3]


def test_an_event_file_says_why(tmp_path: Path) -> None:
    with pytest.raises(RoasteryError, match="cannot write events into"):
        EventFile(str(tmp_path / ("x" * 300)), 0)
