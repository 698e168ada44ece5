"""Snapshots on a disk that is full: told, tried again, and never at the cost of earlier ones."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from frontends.caffemodel import read_state, read_weights

Run = Callable[..., str]
ROOT = Path(__file__).parents[2]

SOLVER = """
net: "train_test.prototxt" base_lr: 0.01 lr_policy: "fixed" max_iter: 6 snapshot: 2
snapshot_prefix: "small" random_seed: 1 snapshot_format: %s
"""

FORMATS = pytest.mark.parametrize(
    ("format", "ending"), [("BINARYPROTO", ""), ("HDF5", ".h5")], ids=["binary", "hdf5"]
)


def train(format: str, limit: int, *flags: str) -> subprocess.CompletedProcess[str]:
    """Train where no file can have more than ``limit`` bytes."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    Path("solver.prototxt").write_text(SOLVER % format)
    return subprocess.run(
        [sys.executable, "-m", "roastery", "train", "--solver=solver.prototxt", *flags],
        env={**os.environ, "PYTHONPATH": str(ROOT), "ROASTERY_DEVICE": "reference"},
        preexec_fn=limited,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@FORMATS
@pytest.mark.parametrize("limit", [0, 5000])
def test_training_goes_on_and_ends_with_an_error(
    limit: int, format: str, ending: str, log_folder: Path
) -> None:
    done = train(format, limit)
    assert done.returncode == 1, done.stderr[-3000:]
    for iteration in (2, 4, 6):
        weights = f"small_iter_{iteration}.caffemodel{ending}"
        words = f"No snapshot at iteration {iteration}: cannot write {weights}: File too large"
        assert words in done.stderr
    last = done.stderr[done.stderr.rindex("error: ") :]
    assert last.startswith("error: training ended at iteration 6, and its snapshot cannot be")
    assert "Traceback" not in done.stderr
    assert not [name for name in os.listdir() if "small" in name]


@FORMATS
def test_earlier_snapshots_stay(format: str, ending: str, log_folder: Path, roastery: Run) -> None:
    Path("solver.prototxt").write_text((SOLVER % format).replace("max_iter: 6", "max_iter: 2"))
    roastery("train", "--solver=solver.prototxt")
    before = {path: path.read_bytes() for path in log_folder.glob("small_iter_2.*")}
    assert len(before) == 2
    done = train(format, 5000, "--snapshot=auto")
    assert done.returncode == 1
    assert {path: path.read_bytes() for path in log_folder.glob("small*")} == before
    assert read_state(f"small_iter_2.solverstate{ending}").iter == 2
    assert read_weights(f"small_iter_2.caffemodel{ending}")


def test_the_next_snapshot_is_tried(log_folder: Path) -> None:
    """A folder in the place of the weights lets one snapshot fail and no other."""
    Path("small_iter_2.caffemodel").mkdir()
    done = train("BINARYPROTO", resource.RLIM_INFINITY)
    assert done.returncode == 0
    assert done.stderr.count("No snapshot at iteration 2: cannot write small_iter_2") == 1
    states = sorted(path.name for path in log_folder.glob("*small*.solverstate"))
    assert states == ["small_iter_4.solverstate", "small_iter_6.solverstate"]


def test_a_stop_without_room_is_an_error(log_folder: Path) -> None:
    Path("solver.prototxt").write_text((SOLVER % "HDF5").replace("max_iter: 6", "max_iter: 1000000")
                                       .replace("snapshot: 2", "display: 1"))  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-m", "roastery", "train", "--solver=solver.prototxt"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "ROASTERY_DEVICE": "reference"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000)),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "iter/s" in line:
                break
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "and its snapshot cannot be written" in error
    assert not [name for name in os.listdir() if "small" in name]


def test_an_hdf5_output_without_room_is_one_error(log_folder: Path) -> None:
    """The HDF5 library crashes when it cannot close a file; here it never meets the error."""
    net = Path("train_test.prototxt").read_text() + (
        'layer { name: "out" type: "HDF5Output" bottom: "data" bottom: "label" '
        'hdf5_output_param { file_name: "out.h5" } include { phase: TRAIN } }'
    )
    Path("train_test.prototxt").write_text(net)
    done = train("BINARYPROTO", 9000)
    assert done.returncode == 1, done.stderr[-3000:]
    error = done.stderr[done.stderr.rindex("error: ") :].splitlines()[0]
    assert error.startswith("error: train_test.prototxt:")
    assert error.endswith("(layer 'out'): cannot write HDF5 file 'out.h5': File too large")
    assert "Traceback" not in done.stderr
