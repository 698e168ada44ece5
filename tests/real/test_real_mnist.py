"""LeNet on the real MNIST test images, which lie beside the checkout and not in it."""

from __future__ import annotations

import gzip
import re
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from roastery.cli.main import main

ROOT = Path(__file__).parents[2]
REAL = ROOT.parent / "shared" / "real"
IMAGES = REAL / "mnist" / "t10k-images-idx3-ubyte.gz"
LABELS = REAL / "mnist" / "t10k-labels-idx1-ubyte.gz"

pytestmark = [
    pytest.mark.skipif(not IMAGES.exists(), reason="../shared/real is not on this machine"),
    pytest.mark.slow,
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for path in (ROOT / "examples" / "lenet").iterdir():
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    code = main(words)
    text = capsys.readouterr().err
    assert code == 0, text[-2000:]
    return text


def test_trained_lenet_gets_as_many_right_as_in_caffe(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "convert-mnist", str(IMAGES), str(LABELS), "mnist_test_lmdb")
    weights = REAL / "lenet" / "lenet_iter_10000.caffemodel"
    log = run(
        capsys,
        "test",
        "--model=lenet_train_test.prototxt",
        f"--weights={weights}",
        "--iterations=100",
    )
    batches = [float(x) for x in re.findall(r"Batch \d+, accuracy = (\S+)", log)]
    assert len(batches) == 100
    assert sum(round(100 * accuracy) for accuracy in batches) == 9914


def test_lenet_learns(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The standard recipe on nine tenths; 1000 iterations reach 97%, these fewer get near."""
    with gzip.open(IMAGES) as images, gzip.open(LABELS) as labels:
        pixels = np.frombuffer(images.read(), np.uint8, offset=16).reshape(-1, 28, 28)
        classes = np.frombuffer(labels.read(), np.uint8, offset=8)
    held_out = np.arange(len(pixels)) % 10 == 0
    for part, chosen in (("train", ~held_out), ("test", held_out)):
        count = int(chosen.sum())
        Path(f"{part}-images").write_bytes(
            struct.pack(">4i", 2051, count, 28, 28) + pixels[chosen].tobytes()
        )
        Path(f"{part}-labels").write_bytes(
            struct.pack(">2i", 2049, count) + classes[chosen].tobytes()
        )
        run(capsys, "convert-mnist", f"{part}-images", f"{part}-labels", f"mnist_{part}_lmdb")
    solver = Path("lenet_solver.prototxt").read_text()
    for field, value in (
        ("test_iter", 10),
        ("test_interval", 250),
        ("max_iter", 250),
        ("snapshot", 0),
    ):
        solver = re.sub(rf"^{field}: \d+", f"{field}: {value}", solver, flags=re.MULTILINE)
    Path("solver.prototxt").write_text(solver + "snapshot_after_train: false\nrandom_seed: 1\n")
    log = run(capsys, "train", "--solver=solver.prototxt")
    accuracy = [float(x) for x in re.findall(r"Test net output #0: accuracy = (\S+)", log)]
    assert len(accuracy) == 2
    assert accuracy[-1] >= 0.92
