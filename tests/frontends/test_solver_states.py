"""Solver states: Caffe's read right, ours byte for byte like Caffe's."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from frontends.caffemodel import SolverState, read_state, write_state, write_state_h5
from frontends.schema.pool import caffe_pb2
from ir.errors import RoasteryError

RECORDS = Path(__file__).parents[1] / "data" / "caffemodel"


@pytest.mark.parametrize(
    ("file", "run"),
    [("sgd_iter_5.solverstate", "sgd"), ("adam_h5_iter_5.solverstate.h5", "adam")],
)
def test_reads_caffes_files(file, run):
    expected = np.load(RECORDS / "expected.npz")
    state = read_state(RECORDS / file)
    assert state.iter == expected[f"{run}.iter5.iter"] == 5
    assert state.current_step == expected[f"{run}.iter5.current_step"]
    assert state.learned_net == file.replace("solverstate", "caffemodel")
    keys = sorted(k for k in expected if k.startswith(f"{run}.iter5.history."))
    assert len(state.history) == len(keys) > 5
    for values, key in zip(state.history, keys, strict=True):
        np.testing.assert_array_equal(values, expected[key])
        assert values.shape == expected[key].shape


def test_writes_caffes_bytes(tmp_path):
    state = read_state(RECORDS / "sgd_iter_5.solverstate")
    write_state(tmp_path / "s", state)
    assert (tmp_path / "s").read_bytes() == (RECORDS / "sgd_iter_5.solverstate").read_bytes()


def test_writes_hdf5_as_caffe_does(tmp_path):
    state = read_state(RECORDS / "adam_h5_iter_5.solverstate.h5")
    write_state_h5(tmp_path / "s.h5", state)
    with (
        h5py.File(tmp_path / "s.h5") as ours,
        h5py.File(RECORDS / "adam_h5_iter_5.solverstate.h5") as caffes,
    ):
        assert sorted(ours) == sorted(caffes)
        for name in ("iter", "current_step", "learned_net", "history/0", "history/15"):
            assert (ours[name].shape, ours[name].dtype) == (caffes[name].shape, caffes[name].dtype)
            np.testing.assert_array_equal(ours[name][()], caffes[name][()])


@pytest.mark.parametrize("write", [write_state, write_state_h5])
def test_round_trip_with_what_caffe_does_not_know(write, tmp_path):
    state = SolverState(
        iter=100_000,
        learned_net="däta/net.caffemodel",
        history=[np.arange(6, dtype=np.float32).reshape(2, 3), np.float32([1])],
        current_step=2,
        extra={1001: b"position\0\xff", 1002: b""},
    )
    write(tmp_path / "s", state)
    again = read_state(tmp_path / "s")
    assert (again.iter, again.learned_net, again.current_step) == (100_000, state.learned_net, 2)
    assert again.extra == state.extra
    for ours, theirs in zip(again.history, state.history, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_caffes_classes_skip_the_extra_fields(tmp_path):
    write_state(tmp_path / "s", SolverState(iter=3, extra={1001: b"x"}))
    parsed = caffe_pb2().SolverState.FromString((tmp_path / "s").read_bytes())
    assert (parsed.iter, parsed.current_step) == (3, 0)


def test_wrong_kinds_are_named(tmp_path):
    no_history = tmp_path / "h.h5"
    with h5py.File(no_history, "w") as stored:
        stored["iter"] = [1]
    text = tmp_path / "t"
    text.write_text("iter: 3\n")
    cases = {
        RECORDS / "sgd_iter_5.caffemodel": "holds weights, not a solver state",
        RECORDS / "adam_h5_iter_5.caffemodel.h5": "holds weights, not a solver state",
        RECORDS / "expected.npz": "is not a solver state",
        no_history: "is not a solver state",
        text: "is a text file, not a solver state",
        tmp_path / "gone.solverstate": "there is no file",
    }
    for path, message in cases.items():
        with pytest.raises(RoasteryError, match=message) as caught:
            read_state(path)
        assert path.name in str(caught.value)


def test_missing_history_is_named(tmp_path):
    write_state_h5(tmp_path / "s", SolverState(history=[np.ones(1), np.ones(1)]))
    with h5py.File(tmp_path / "s", "a") as stored:
        stored.move("history/0", "history/7")
    with pytest.raises(RoasteryError, match="/history has 2 members but no 0"):
        read_state(tmp_path / "s")
