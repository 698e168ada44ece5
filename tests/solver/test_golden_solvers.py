"""Twelve iterations of every solver, as Caffe computed them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe

DATA = Path(__file__).parent.parent / "data" / "golden" / "solvers"
TOLERANCE = 2e-5


def error(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The norm of the difference, relative to the norm (of at least 1e-3 per element)."""
    floor = 1e-3 * np.sqrt(max(theirs.size, 1))
    return float(np.linalg.norm(ours - theirs) / max(np.linalg.norm(theirs), floor))


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roastery.caffe.modes._handler.level", 2)


@pytest.mark.parametrize("path", sorted(DATA.glob("*.npz")), ids=lambda path: path.stem)
def test_trajectory(path: Path, tmp_path: Path) -> None:
    recorded = np.load(path)
    (tmp_path / "net.prototxt").write_bytes(recorded["net"].tobytes())
    (tmp_path / "solver.prototxt").write_text(
        f'net: "{tmp_path}/net.prototxt" random_seed: 7 snapshot_after_train: false '
        + recorded["solver"].tobytes().decode()
    )
    solver = caffe.get_solver(tmp_path / "solver.prototxt")
    for key in recorded:
        if key.startswith("in/"):
            solver.net.blobs[key[3:]].data[...] = recorded[key]
        elif key.startswith("param/"):
            layer, index = key[6:].rsplit("/", 1)
            solver.net.params[layer][int(index)].data[...] = recorded[key]
    compared = 0
    for iteration in range(1, 13):
        solver.step(1)
        assert error(solver.net.blobs["loss"].data, recorded["loss"][iteration - 1]) < TOLERANCE
        for key in recorded:
            if key.startswith(f"after/{iteration}/"):
                layer, index = key.split("/")[2:]
                ours = solver.net.params[layer][int(index)].data
                assert error(ours, recorded[key]) < TOLERANCE, key
                compared += 1
    assert compared >= 12
    assert solver.iter == 12
