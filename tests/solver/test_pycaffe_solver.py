"""Solvers as scripts use them: step, nets, callbacks, snapshots, shared weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe
from ir.errors import RoasteryError


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roastery.caffe.modes._handler.level", 2)


def test_step_trains_the_net_that_is_seen(log_folder: Path) -> None:
    solver = caffe.SGDSolver("one_test_solver.prototxt")
    before = solver.net.params["conv1"][0].data.copy()
    view = solver.net.params["conv1"][0].data
    solver.step(2)
    assert solver.iter == 2
    assert (view != before).any()
    assert float(solver.net.blobs["loss"].data) > 0
    assert solver.lr == pytest.approx(0.02)
    solver.test_nets[0].forward()
    assert 0 <= float(solver.test_nets[0].blobs["accuracy"].data) <= 1


def test_diffs_hold_the_applied_update(log_folder: Path) -> None:
    solver = caffe.SGDSolver("one_test_solver.prototxt")
    before = solver.net.params["ip2"][0].data.copy()
    solver.step(1)
    moved = before - solver.net.params["ip2"][0].data
    np.testing.assert_allclose(solver.net.params["ip2"][0].diff, moved, atol=1e-7)


def test_apply_update_uses_edited_diffs(log_folder: Path) -> None:
    solver = caffe.SGDSolver("one_test_solver.prototxt")
    blob = solver.net.params["ip2"][1]
    before = blob.data.copy()
    blob.diff[...] = 1.0
    solver.apply_update()
    np.testing.assert_allclose(before - blob.data, 2 * 0.02, rtol=1e-3)  # lr_mult is 2


def test_a_changed_rate_counts(log_folder: Path) -> None:
    solver = caffe.SGDSolver("one_test_solver.prototxt")
    solver.param.base_lr = 0.5
    solver.step(1)
    assert solver.lr == pytest.approx(0.5)
    assert (solver.param.max_iter, solver.param.display) == (50, 10)


def test_callbacks(log_folder: Path) -> None:
    solver = caffe.SGDSolver("one_test_solver.prototxt")
    calls = []
    solver.add_callback(lambda: calls.append("start"), lambda: calls.append("gradients"))
    solver.step(2)
    assert calls == ["start", "gradients"] * 2


def test_snapshot_and_restore(log_folder: Path) -> None:
    first = caffe.get_solver("one_test_solver.prototxt")
    first.step(3)
    first.snapshot()
    first.step(2)
    second = caffe.get_solver("one_test_solver.prototxt")
    second.restore("one_iter_3.solverstate")
    assert second.iter == 3
    second.step(2)
    np.testing.assert_array_equal(
        first.net.params["conv2"][0].data, second.net.params["conv2"][0].data
    )


def test_classes_and_types(log_folder: Path) -> None:
    assert isinstance(caffe.get_solver("one_test_solver.prototxt"), caffe.SGDSolver)
    adam = caffe.AdamSolver("one_test_solver.prototxt")
    adam.step(1)
    Path("bad.prototxt").write_text('net: "train_test.prototxt" base_lr: 1 type: "Magic"')
    with pytest.raises(RoasteryError, match="Magic"):
        caffe.get_solver("bad.prototxt")


def test_share_weights(log_folder: Path) -> None:
    solver = caffe.SGDSolver("one_test_solver.prototxt")
    net = caffe.Net("train_test.prototxt", caffe.TEST)
    solver.share_weights(net)
    solver.step(1)
    np.testing.assert_array_equal(net.params["ip1"][0].data, solver.net.params["ip1"][0].data)


def test_solve_runs_to_the_end(log_folder: Path) -> None:
    solver = caffe.get_solver("multistep_solver.prototxt")
    solver.solve()
    assert solver.iter == 12
    assert Path("multi_iter_12.caffemodel.h5").exists()
