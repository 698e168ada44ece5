"""The examples run as their files say."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.examples import EXAMPLES, copied, run_shown, script

Run = Callable[..., str]


def test_first_example_of_talks_about_caffe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, roastery: Run
) -> None:
    """No backend (so LevelDB), step policy, a snapshot folder that is not there yet."""
    pytest.importorskip("plyvel")
    folder = shutil.copytree(EXAMPLES / "logreg", tmp_path / "logreg")
    script("make_data.py", cwd=folder)
    monkeypatch.chdir(folder)
    log = roastery("train", "--solver=solver.prototxt")
    assert "Opened leveldb input_leveldb" in log
    assert "made the directory 'models' for snapshots" in log
    assert (folder / "models" / "logreg_iter_200.caffemodel").exists()
    losses = [float(x) for x in re.findall(r"Iteration \d+.*, loss = ([\d.e+-]+)", log)]
    assert losses[0] == pytest.approx(0.693147)
    assert losses[-1] < 0.3
    assert re.findall(r"lr = (\S+)", log)[-1] == "1e-07"


@pytest.mark.slow
def test_demo(tmp_path: Path) -> None:
    """The digits demo reaches its accuracy, and leaves weights and a picture."""
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    output = tmp_path / "out"
    text = script(EXAMPLES / "digits" / "demo.py", "--output", output)
    found = re.search(r"(\d+) of 360 held-out digits right: accuracy ([\d.]+)", text)
    assert found is not None and float(found.group(2)) >= 0.97
    assert (output / "snapshots" / "lenet_digits_iter_800.caffemodel").stat().st_size > 100_000
    assert (output / "train.png").read_bytes().startswith(b"\x89PNG")


def losses(log: str) -> list[float]:
    return [float(x) for x in re.findall(r"Iteration \d+.*, loss = ([\d.e+-]+)", log)]


def test_characters(tmp_path: Path) -> None:
    """The commands that its README shows, with an eightieth of the iterations."""
    solver = {"max_iter: 4000": "max_iter: 50", "test_iter: 45": "test_iter: 1"}
    solver |= {"display: 100": "display: 49", "average_loss: 100": "average_loss: 5"}
    folder = copied("characters", tmp_path, {"solver.prototxt": solver})
    said = run_shown(
        folder,
        {
            "iter_4000": "iter_50",
            "--iterations=45": "--iterations=1",
            "--length=200": "--length=50",
        },
    )
    assert len(said) == 5
    first, last = losses(said["roastery train --solver=solver.prototxt"])
    assert first == pytest.approx(4.56, abs=0.02) and last < 3.6
    written = said["python sample.py characters_iter_4000.caffemodel"]
    assert written.startswith("The ") and len(written) == len("The ") + 600 + 1
    (begun,) = (text for command, text in said.items() if "--begin" in command)
    assert begun.startswith("If the ") and len(begun) == len("If the ") + 50 + 1
    same = script("sample.py", "characters_iter_50.caffemodel", cwd=folder)
    assert same == written


def test_segnet(tmp_path: Path) -> None:
    """The commands that its README shows, with few pictures and iterations."""
    pytest.importorskip("sklearn")
    solver = {"max_iter: 4000": "max_iter: 4", "test_iter: 10": "test_iter: 1"}
    folder = copied("segnet", tmp_path, {"solver.prototxt": solver})
    few = {"make_data.py": "make_data.py --train=20 --test=10", "iter_4000": "iter_4"}
    said = run_shown(folder, few)
    assert len(said) == 4
    (scores,) = (text for command, text in said.items() if "score.py" in command)
    assert re.search(r"mean IoU 0\.\d{3}, \d+\.\d\d% of 40960 pixels right", scores)
    assert len(list((folder / "segmented").iterdir())) == 20
    assert (folder / "sheet.png").stat().st_size > 10_000
    for made in ("segnet.prototxt", "deploy.prototxt"):
        (folder / made).unlink()
    script("make_net.py", cwd=folder)
    for made in ("segnet.prototxt", "deploy.prototxt"):
        assert (folder / made).read_text() == (EXAMPLES / "segnet" / made).read_text()


def test_captions(tmp_path: Path) -> None:
    """The commands that its README shows, with few pictures and iterations."""
    solver = {"max_iter: 5000": "max_iter: 4", "test_iter: 10": "test_iter: 1"}
    solver |= {"display: 100": "display: 1", "average_loss: 100": "average_loss: 1"}
    folder = copied("captions", tmp_path, {"solver.prototxt": solver})
    few = {"make_data.py": "make_data.py --train=100 --test=50", "iter_5000": "iter_4"}
    said = run_shown(folder, few)
    assert len(said) == 4
    first, *_, last = losses(said["roastery train --solver=solver.prototxt"])
    assert first == pytest.approx(2.83, abs=0.15) and last < first  # ln 17
    greedy, beam = (text for command, text in said.items() if "caption.py" in command)
    assert re.search(r"\d+ of 50 captions are true: \d+\.\d%$", greedy)
    assert re.fullmatch(r"test/00000\.png: .*\ntest/00001\.png: .*\n", beam)
    assert (folder / "sheet.png").stat().st_size > 10_000
    made = ("captions.prototxt", "encoder.prototxt", "decoder.prototxt")
    for name in made:
        (folder / name).unlink()
    script("make_nets.py", cwd=folder)
    for name in made:
        assert (folder / name).read_text() == (EXAMPLES / "captions" / name).read_text()


def test_ssd(tmp_path: Path) -> None:
    """The commands that its README shows, on few pictures and for few iterations."""
    pytest.importorskip("cv2")
    pytest.importorskip("sklearn")
    said = run_shown(
        copied("ssd", tmp_path, {}),
        {
            "make_set.py .": "make_set.py . --images=24 --held-out=10",
            "make_net.py .": "make_net.py . --batch=4 --iterations=12 --held-out=10",
            "iter_4000": "iter_12",
            "--label_map=labelmap": "--threshold=0.02 --label_map=labelmap",
        },
    )
    assert len(said) == 7
    log = said["roastery train --solver=solver.prototxt"]
    assert len(re.findall(r"detection_eval = [\d.]+", log)) == 4
    assert re.search(r"Iteration 0 .*, loss = [\d.]+", log)
    (found,) = (text for command, text in said.items() if "detect_objects" in command)
    assert re.search(r"  (circle|square|triangle) 0\.\d+ -?\d+\.\d", found)
    assert (tmp_path / "ssd" / "found" / "000005.png").read_bytes().startswith(b"\x89PNG")


def test_faster_rcnn(tmp_path: Path) -> None:
    """The commands that its README shows, on few pictures and for few iterations."""
    pytest.importorskip("cv2")
    pytest.importorskip("sklearn")
    copied("ssd", tmp_path, {})
    said = run_shown(
        copied("faster_rcnn", tmp_path, {}),
        {
            "make_set.py shapes": "make_set.py shapes --images=12 --held-out=6",
            "make_net.py . shapes": "make_net.py . shapes --iterations=3",
            "iter_3000": "iter_3",
        },
    )
    assert len(said) == 6
    log = said["roastery train --solver=solver.prototxt --python_layers"]
    for name in ("loss_bbox", "loss_cls", "rpn_loss_bbox", "rpn_loss_cls"):
        assert re.search(rf"Train net output #\d: {name} = [\d.]+", log)
    assert re.search(r"mean +0\.\d+ on 6 pictures", said["python evaluate.py found.json shapes"])
    assert (tmp_path / "faster_rcnn" / "found" / "000005.png").exists()
