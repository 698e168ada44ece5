"""Several ranks train as one with a larger batch does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.ranks import (
    NET,
    STEP,
    largest_difference,
    made_once,
    parameters,
    small_run,
    torchrun,
    train,
    train_all,
)

pytest.importorskip("torch.distributed", reason="torch is not installed")

BATCH = 16

SOLVERS = {
    "plain": STEP,
    "several_passes": f"{STEP} iter_size: 3",
    "clipped": f"{STEP} clip_gradients: 0.5",
    "adam": f'{STEP} type: "Adam" momentum2: 0.99',
    "plateau": 'lr_policy: "plateau" plateau_winsize: 1 plateau_winsize: 1 plateau_winsize: 2',
    "layer_by_layer": f"{STEP} debug_info: true",
    "smoothed": f"{STEP} average_loss: 4",
}


SOME = ("plain", "several_passes", "layer_by_layer")
RUNS = {"1": tuple(SOLVERS), "2": tuple(SOLVERS), "2 sent": SOME, "4": ("plain",)}
"""Solvers by ranks: those of one machine see each other's gradients, or send them."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs by 1, 2 and 4 ranks, of batches that are 16 together."""
    return made_once(tmp_path_factory, "equal_ranks", _train)


def _train(root: Path) -> None:
    for place, names in RUNS.items():
        ranks = int(place.split()[0])
        folders = [small_run(root / place / name, BATCH // ranks, SOLVERS[name]) for name in names]
        train_all(folders, ranks, sent="sent" in place)


@pytest.mark.parametrize(
    ("place", "name"), [(place, name) for place in list(RUNS)[1:] for name in RUNS[place]]
)
def test_parameters(runs: Path, place: str, name: str) -> None:
    for iteration in (10, 20, 25):
        found, expected = (parameters(runs / n / name, iteration) for n in (place, "1"))
        assert largest_difference(found, expected) < 1e-5


def shown(folder: Path) -> list[tuple[str, float]]:
    """All losses, outputs and rates of a log."""
    text = (folder / "log").read_text()
    found = re.findall(r"(loss|accuracy|lr|minimum_loss) = (\S+)", text)
    return [(name, float(value)) for name, value in found]


@pytest.mark.parametrize("name", SOLVERS)
def test_the_log_has_means_of_all_ranks(runs: Path, name: str) -> None:
    found, expected = (shown(runs / n / name) for n in ("2", "1"))
    assert [word for word, _ in found] == [word for word, _ in expected]
    assert len(expected) > 15
    assert [v for _, v in found] == pytest.approx([v for _, v in expected], rel=1e-4, abs=1e-5)


TELLING = """
layer { name: "tells" type: "Python" bottom: "label" include { phase: TRAIN }
  python_param { module: "telling" layer: "Tells" } }
"""
TELLS = """
import caffe

class Tells(caffe.Layer):
    def setup(self, bottom, top):
        open("rank %d of %d" % (caffe.solver_rank(), caffe.solver_count()), "w").close()

    def reshape(self, bottom, top): pass
    def forward(self, bottom, top): pass
    def backward(self, top, propagate_down, bottom): pass
"""


def test_the_command_starts_ranks(runs: Path, tmp_path: Path) -> None:
    """A Python layer can tell which one it is in."""
    folder = small_run(tmp_path / "run", BATCH // 2, net=NET + TELLING)
    (folder / "telling.py").write_text(TELLS)
    log = train(folder, "--device=cpu", "--python-layers", ranks=2)
    assert sorted(path.name for path in folder.glob("rank *")) == ["rank 0 of 2", "rank 1 of 2"]
    assert largest_difference(parameters(folder), parameters(runs / "1" / "plain")) < 1e-5
    assert log.count("Optimization Done") == 2  # of the solver and the command: one rank speaks
    assert log.count("2 ranks train together") == 1


def test_torchrun_and_the_reference(runs: Path, tmp_path: Path) -> None:
    folder = small_run(tmp_path / "run", BATCH // 2)
    words = ["-m", "roastery", "train", "--solver=solver.prototxt", "--device=reference"]
    log = torchrun(folder, 2, words)
    assert largest_difference(parameters(folder), parameters(runs / "1" / "plain")) < 1e-5
    assert log.count("Optimization Done") == 2
