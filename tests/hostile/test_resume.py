"""States whose numbers have wrong types or cannot be: resuming says so in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from frontends.caffemodel import SolverState, read_state, write_state, write_state_h5
from roastery.cli.main import main
from roastery.training.snapshots import POSITION_FIELD

NET = """
layer { name: "d" type: "DummyData" top: "x" top: "y"
  dummy_data_param { shape { dim: 4 dim: 3 } shape { dim: 4 dim: 2 }
    data_filler { type: "gaussian" } data_filler { type: "constant" } } }
layer { name: "drop" type: "Dropout" bottom: "x" top: "x" }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "l" type: "EuclideanLoss" bottom: "ip" bottom: "y" top: "l" }
"""
SOLVER = """net: "net.prototxt" type: "Adam" momentum: 0.9 base_lr: 0.01
lr_policy: "multistep" gamma: 0.5 stepvalue: 1 stepvalue: 3 max_iter: 2 snapshot_prefix: "s" """


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET)
    Path("solver.prototxt").write_text(SOLVER)
    assert main(["train", "--solver=solver.prototxt", "--device=cpu"]) == 0
    return tmp_path


def resumed(capsys: pytest.CaptureFixture[str], state: str) -> str:
    """The one error of going on from a state."""
    capsys.readouterr()
    words = ["train", "--solver=solver.prototxt", "--device=cpu", f"--snapshot={state}"]
    assert main(words) == 1
    told = capsys.readouterr().err
    assert told.count("error: ") == 1
    return told[told.index("error: ") :]


def with_position(change: Callable[[dict[str, Any]], Any]) -> None:
    """Rewrite the saved position of s_iter_2.solverstate."""
    state = read_state("s_iter_2.solverstate")
    position = json.loads(state.extra[POSITION_FIELD])
    changed = change(position)
    content = changed if isinstance(changed, bytes) else json.dumps(position).encode()
    state.extra[POSITION_FIELD] = content
    write_state("bad.solverstate", state)


def put(*path: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    def change(position: dict[str, Any]) -> None:
        for key in path[:-1]:
            position = position[key]
        position[path[-1]] = value

    return change


FEED = ("feeds", "train/d")
POSITIONS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "a list": (lambda position: b"[1, 2]", "its data position cannot be read"),
    "deep": (lambda position: b"[" * 200_000, "its data position cannot be read"),
    "digits": (lambda position: b'{"seed": ' + b"9" * 9000 + b"}", "cannot be read"),
    "seed text": (put("seed", value="7"), "its seed is '7'"),
    "seed true": (put("seed", value=True), "its seed is True"),
    "seed negative": (put("seed", value=-1), "its seed is -1"),
    "seed huge": (put("seed", value=1 << 70), "its seed is"),
    "feeds": (put("feeds", value=[1]), "its feeds cannot be read"),
    "feed": (put(*FEED, value=5), "its train/d cannot be read"),
    "feed null": (put(*FEED, value=None), "its train/d cannot be read"),
    "kind": (put(*FEED, "kind", value=["x"] * 10_000), "belongs to a ['x', 'x'"),
    "pass text": (put(*FEED, "pass", value="2"), "has pass = '2'"),
    "pass negative": (put(*FEED, "pass", value=-2), "has pass = -2"),
    "pass huge": (put(*FEED, "pass", value=1 << 80), "has pass = "),
    "random": (put("random", "train", value=[1, -1]), "the saved random state is damaged"),
    "random text": (put("random", "train", value="ab"), "the saved random state is damaged"),
    "state": (put("state", value=3), "its state cannot be read"),
}


@pytest.mark.parametrize("case", POSITIONS)
def test_positions(case: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change, message = POSITIONS[case]
    with_position(change)
    assert message in resumed(capsys, "bad.solverstate")


@pytest.mark.parametrize("write", [write_state, write_state_h5])
@pytest.mark.parametrize("field, value", [("iter", -1), ("current_step", -3)])
def test_negative_counters(
    write: Callable[[str, SolverState], None],
    field: str,
    value: int,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    state = read_state("s_iter_2.solverstate")
    setattr(state, field, value)
    write("bad.solverstate", state)
    assert f"its {field} is {value}; a count from 0 was expected" in resumed(
        capsys, "bad.solverstate"
    )


def test_hdf5_members_of_wrong_kinds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = read_state("s_iter_2.solverstate")

    def change(name: str, value: Any) -> str:
        write_state_h5("bad.h5", state)
        with h5py.File("bad.h5", "a") as file:
            del file[name]
            if value is h5py.Group:
                file.create_group(name)
            elif value is not None:
                file[name] = value
        return resumed(capsys, "bad.h5")

    assert "iter is not an integer" in change("iter", h5py.Group)
    assert "iter is not an integer" in change("iter", np.float32([1]))
    assert "iter is not an integer" in change("iter", np.int32([1, 2]))
    assert "its iter is 4611686018427387904" in change("iter", np.int64([1 << 62]))
    assert "it has no iter and history" in change("history", np.float32([1]))
    assert "'/history/1' is a group" in change("history/1", h5py.Group)
    assert "has 3 members but no 1" in change("history/1", None)
    assert "'/history/0' holds no numbers" in change("history/0", "words")
    assert "current_step is not an integer" in change("current_step", h5py.Empty("i4"))
    assert "learned_net is not a string" in change("learned_net", np.int32([1]))
    assert "learned_net is not a string" in change("learned_net", ["a", "b"])
    assert "/extra is a data set" in change("extra", np.uint8([1]))
    assert f"'/extra/{POSITION_FIELD}' holds no numbers" in change(
        f"extra/{POSITION_FIELD}", np.float32([1])
    )
