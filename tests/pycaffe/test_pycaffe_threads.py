"""Nets and solvers that two threads use at once say so; one after the other they may."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import roastery.caffe as caffe
from ir.errors import RoasteryError
from roastery.caffe import InUseError
from roastery.training.solvers import build_solver

MODULE = """
import caffe

HELD = None  # called in the middle of forward

class Holding(caffe.Layer):
    def setup(self, bottom, top): pass
    def reshape(self, bottom, top): top[0].reshape(*bottom[0].data.shape)
    def forward(self, bottom, top):
        if HELD is not None:
            HELD()
        top[0].data[...] = bottom[0].data
    def backward(self, top, propagate_down, bottom): bottom[0].diff[...] = top[0].diff
"""
NET = """name: "both"
layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "h" inner_product_param { num_output: 3
  weight_filler { type: "uniform" min: 0.5 max: 1 } } }
layer { name: "py" type: "Python" bottom: "h" top: "y" loss_weight: 1
  python_param { module: "holding_layers" layer: "Holding" } }
"""
IN_USE = "net 'both' is in use by another thread"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("roastery.caffe.modes._handler.level", 2)
    Path("holding_layers.py").write_text(MODULE)
    Path("net.prototxt").write_text(NET)
    Path("solver.prototxt").write_text(
        'net: "net.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 2 type: "SGD" '
        'snapshot_prefix: "s" test_iter: 1 test_interval: 100 test_initialization: false'
    )
    caffe.install()
    yield __import__("holding_layers")
    sys.modules.pop("holding_layers", None)
    sys.modules.pop("caffe", None)


def in_thread(work: Callable[[], Any], name: str = "") -> Any:
    """What ``work`` gives, or raises, on a thread of its own that has ended by then."""
    done: list[Any] = []

    def run() -> None:
        try:
            done.append(work())
        except Exception as error:
            done.append(error)

    thread = threading.Thread(target=run, name=name or None)
    thread.start()
    thread.join()
    if isinstance(done[0], Exception):
        raise done[0]
    return done[0]


class Busy:
    """``with Busy(module, call):`` another thread is in the middle of ``call``."""

    def __init__(self, module: Any, call: Callable[[], Any]) -> None:
        self.module = module
        self.inside, self.leave = threading.Event(), threading.Event()
        self.results: list[Any] = []
        self.thread = threading.Thread(
            target=lambda: self.results.append(call()), name="worker-7", daemon=True
        )

    def __enter__(self) -> Busy:
        def hold() -> None:
            if threading.current_thread() is self.thread:
                self.inside.set()
                assert self.leave.wait(20)

        self.module.HELD = hold
        self.thread.start()
        assert self.inside.wait(20)
        return self

    def __exit__(self, *error: object) -> None:
        self.leave.set()
        self.thread.join()
        self.module.HELD = None


def test_a_net_in_use_says_so(module: Any) -> None:
    net = caffe.Net("net.prototxt", caffe.TEST)
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    right = net.forward(x=x)["y"].copy()
    net.save("w.caffemodel")
    with Busy(module, lambda: net.forward(x=x)) as busy:
        for call in (
            net.forward,
            lambda: net.forward(x=0 * x),
            lambda: net.forward(end="ip"),
            lambda: net.forward_all(x=x),
            net.backward,
            net.forward_backward_all,
            net.reshape,
            net.clear_param_diffs,
            lambda: net.copy_from("w.caffemodel"),
            lambda: net.save("other.caffemodel"),
            lambda: net.share_with(caffe.Net("net.prototxt", caffe.TEST)),
            lambda: net.blobs["x"].data.fill(0),
            lambda: net.blobs["h"].diff,
            lambda: net.blobs["x"].reshape(5, 3),
        ):
            for kind in (InUseError, RoasteryError, RuntimeError):
                with pytest.raises(kind, match=IN_USE) as caught:
                    call()
            assert "(worker-7)" in str(caught.value)
            assert "a net of its own" in str(caught.value)
        assert net.params["ip"][0].data.shape == (3, 3)  # to be looked at by all
    np.testing.assert_array_equal(busy.results[0]["y"], right)
    np.testing.assert_array_equal(net.forward(x=x)["y"], right)


def test_threads_one_after_the_other(module: Any) -> None:
    net = caffe.Net("net.prototxt", caffe.TEST)
    first = net.forward(x=np.ones((2, 3)))
    assert np.shares_memory(first["y"], net.blobs["y"].data)
    for value in range(3):
        net.blobs["x"].data[...] = value
        given = in_thread(net.forward)
        np.testing.assert_array_equal(given["y"], net.blobs["y"].data)
        assert not np.shares_memory(given["y"], net.blobs["y"].data)  # its own from here on
    lock = threading.Lock()
    wrong: list[int] = []

    def work(value: int) -> None:
        for _ in range(30):
            with lock:
                net.blobs["x"].data[...] = value
                net.forward()
                found = net.blobs["y"].data.copy()
            if not np.allclose(found, value * net.params["ip"][0].data.sum(1)):
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(value,)) for value in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_layers_and_callbacks_use_their_own_net(module: Any) -> None:
    net = caffe.Net("net.prototxt", caffe.TRAIN)
    calls: list[float] = []

    def look() -> None:
        calls.append(float(net.blobs["x"].data.sum()))
        net.forward(end="ip")

    module.HELD = look
    net.before_forward(lambda number: net.blobs["h"].data if number == 1 else None)
    net.forward(x=np.ones((2, 3)))
    net.backward()
    assert calls == [6.0]
    module.HELD = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        net.forward()
    module.HELD = None
    in_thread(net.forward)  # an exception lets go of the net


def test_no_result_is_silently_anothers(module: Any) -> None:
    """Without a lock a call succeeds with its own result or is refused; never another's."""
    net = caffe.Net("net.prototxt", caffe.TEST)
    sums = net.params["ip"][0].data.sum(1)
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    wrong, right, refused = [], [], []

    def work(value: int) -> None:
        x = np.full((2, 3), value, np.float32)
        for i in range(150):
            try:
                if i % 3:
                    y = net.forward(x=x)["y"]
                else:
                    y = net.forward_all(x=np.concatenate([x, x]))["y"]
            except InUseError:
                refused.append(value)
            else:
                (right if np.allclose(y, value * sums) else wrong).append(value)

    threads = [threading.Thread(target=work, args=(value,)) for value in range(1, 5)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not wrong
    assert right and len(right) + len(refused) == 600


def test_a_solver_in_use_says_so(module: Any) -> None:
    solver = caffe.SGDSolver("solver.prototxt")
    with Busy(module, lambda: solver.step(1)):
        for call in (
            lambda: solver.step(1),
            solver.solve,
            solver.snapshot,
            solver.apply_update,
            lambda: solver.restore("s.solverstate"),
        ):
            with pytest.raises(InUseError, match="the solver of " + IN_USE):
                call()
        for net in (solver.net, solver.test_nets[0]):
            with pytest.raises(InUseError, match=IN_USE):
                net.forward()
        # A thread that watches the training:
        assert solver.iter == 0 and solver.lr == pytest.approx(0.1)
        assert solver.net.params["ip"][0].data.shape == (3, 3)
        assert solver.net.blobs["y"].data.shape == (2, 3)
    assert solver.iter == 1
    in_thread(lambda: solver.step(1))
    assert solver.iter == 2
    with Busy(module, solver.net.forward):
        with pytest.raises(InUseError, match=IN_USE):
            solver.step(1)
    solver.step(1)  # the solver itself was let go
    assert solver.iter == 3


def test_a_built_solver_in_use_says_so(module: Any) -> None:
    solver = build_solver("solver.prototxt", device="reference")
    with Busy(module, solver.solve):
        for call in (lambda: solver.step(1), solver.test_all, solver.apply_update):
            with pytest.raises(InUseError, match="the solver is in use by another thread"):
                call()
    assert solver.iteration == 2
    in_thread(lambda: solver.step(1))
    assert solver.iteration == 3


def test_solver_callbacks_use_the_solver(module: Any) -> None:
    solver = caffe.SGDSolver("solver.prototxt")
    solver.add_callback(lambda: solver.test_nets[0].forward(), solver.snapshot)
    solver.step(1)
    assert Path("s_iter_0.solverstate").exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_the_net_to_itself(module: Any) -> None:
    net = caffe.Net("net.prototxt", caffe.TEST)
    with Busy(module, net.forward):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                net.forward(x=np.ones((2, 3)))
                net.blobs["x"].data[...] = 1
                net.forward()
                code = 0
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        with pytest.raises(InUseError):
            net.forward()
