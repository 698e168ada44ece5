"""A state goes on with the weights that it was written with, and with no others."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest

from frontends.caffemodel import SolverState, read_state, write_state
from frontends.schema.pool import caffe_pb2
from roastery.weights.digest import DIGEST_FIELD, weights_of_state

Run = Callable[..., str]

ENDINGS = pytest.mark.parametrize("ending", ["", ".h5"])


@pytest.fixture
def two_runs(snapshot_folder: Path, roastery: Run) -> Path:
    """Snapshots at iteration 10 in both formats, and in ``other`` those of a run that differs."""
    (snapshot_folder / "other").mkdir()
    for ending in ("", ".h5"):
        resume(roastery, ending, stem(ending, 5))
        for kind in ("caffemodel", "solverstate"):
            name = f"{stem(ending)}.{kind}{ending}"
            shutil.copy(name, f"other/{name}")
        roastery("train", f"--solver={stem(ending).removesuffix('_iter_10')}_solver.prototxt")
    return snapshot_folder


def stem(ending: str, iteration: int = 10) -> str:
    return f"sgd{ending.replace('.', '_')}_iter_{iteration}"


def resume(roastery: Run, ending: str, state: str = "", code: int = 0) -> str:
    state = state or stem(ending)
    solver = f"--solver={stem(ending).removesuffix('_iter_10')}_solver.prototxt"
    return roastery("train", solver, f"--snapshot={state}.solverstate{ending}", code=code)


@ENDINGS
def test_the_digest_is_that_of_the_file(ending: str, two_runs: Path) -> None:
    content = Path(f"{stem(ending)}.caffemodel{ending}").read_bytes()
    stored = read_state(f"{stem(ending)}.solverstate{ending}").extra[DIGEST_FIELD]
    assert stored.decode() == f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_caffes_classes_skip_it(two_runs: Path) -> None:
    state = caffe_pb2().SolverState()
    state.ParseFromString(Path("sgd_iter_10.solverstate").read_bytes())
    assert (state.iter, state.learned_net) == (10, "sgd_iter_10.caffemodel")
    with h5py.File("sgd_h5_iter_10.solverstate.h5") as file:
        assert set(file) == {"iter", "learned_net", "current_step", "history", "extra"}


@ENDINGS
def test_weights_of_another_run_are_refused(ending: str, two_runs: Path, roastery: Run) -> None:
    resume(roastery, ending)
    name = f"{stem(ending)}.caffemodel{ending}"
    shutil.copy(f"other/{name}", name)
    error = resume(roastery, ending, code=1)
    assert "belongs to other weights than" in error
    assert f"--weights={name}" in error  # how to go on with these


@ENDINGS
def test_weights_of_another_iteration_are_refused(
    ending: str, two_runs: Path, roastery: Run
) -> None:
    shutil.copy(f"{stem(ending, 5)}.caffemodel{ending}", f"{stem(ending)}.caffemodel{ending}")
    assert "belongs to other weights than" in resume(roastery, ending, code=1)


@ENDINGS
def test_damaged_weights_are_refused(ending: str, two_runs: Path, roastery: Run) -> None:
    """One bit of one value: the file still reads, and nothing else would tell."""
    path = Path(f"{stem(ending)}.caffemodel{ending}")
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    assert "belongs to other weights than" in resume(roastery, ending, code=1)


@ENDINGS
def test_the_digest_knows_no_path(ending: str, two_runs: Path, roastery: Run) -> None:
    (two_runs / "moved").mkdir()
    for kind in ("caffemodel", "solverstate"):
        Path(f"{stem(ending)}.{kind}{ending}").rename(f"moved/best.{kind}{ending}")
    resume(roastery, ending, "moved/best")


@ENDINGS
def test_a_copied_snapshot_takes_its_own_weights(ending: str, two_runs: Path) -> None:
    """Both folders hold weights of the name that the state says; only one pair belongs together."""
    path = f"other/{stem(ending)}.solverstate{ending}"
    state = read_state(path)
    assert Path(state.learned_net).exists()
    assert weights_of_state(path, state) == f"other/{state.learned_net}"


def test_states_of_caffe_carry_none_and_load(snapshot_folder: Path, roastery: Run) -> None:
    assert DIGEST_FIELD not in read_state("sgd_iter_5.solverstate").extra
    roastery("train", "--solver=sgd_solver.prototxt", "--snapshot=sgd_iter_5.solverstate")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\xff\0", "cannot be read"), (b"", "cannot be read"), (b"md9:" + b"0" * 32, "md9 digest")],
)
def test_a_digest_that_is_none_is_refused(
    content: bytes, message: str, snapshot_folder: Path, roastery: Run
) -> None:
    state = read_state("sgd_iter_5.solverstate")
    extra = {DIGEST_FIELD: content}
    write_state("bad.solverstate", SolverState(5, state.learned_net, state.history, 0, extra))
    assert message in roastery(
        "train", "--solver=sgd_solver.prototxt", "--snapshot=bad.solverstate", code=1
    )


def test_auto_passes_over_a_state_with_foreign_weights(two_runs: Path, roastery: Run) -> None:
    shutil.copy("other/sgd_iter_10.caffemodel", "sgd_iter_10.caffemodel")
    log = roastery("train", "--solver=sgd_solver.prototxt", "--snapshot=auto")
    assert "passing over 'sgd_iter_10.solverstate': 'sgd_iter_10.solverstate' belongs to" in log
    assert "Resuming from sgd_iter_5.solverstate" in log
