"""Training and running nets whose Python layers give another size with every pass.

The plan of the whole net follows, and does what the net does layer by layer: each layer runs once
a pass, and state and random numbers move once.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

import roastery
from ir.errors import RoasteryError
from roastery.training.solvers import build_solver
from runtime.solver.means import OutputMean

MODULE = '''
import caffe
import numpy as np

log = []

class Images(caffe.Layer):
    """Pictures of changing sizes, known when they are read only."""

    def setup(self, bottom, top):
        self.n = 0
        top[0].reshape(2, 3, 4, 8)

    def reshape(self, bottom, top):
        pass

    def forward(self, bottom, top):
        self.n += 1
        log.append(f"images {self.n}")
        if self.n == int(self.param_str or 0):
            raise ValueError("no more pictures")
        shape = (2, 3, 4 + self.n % 3, 8 - self.n % 2)
        top[0].reshape(*shape)
        top[0].data[...] = np.random.RandomState(self.n).rand(*shape)

    def backward(self, top, propagate_down, bottom):
        pass

class Targets(caffe.Layer):
    """Labels in the size of the scores, given in forward only."""

    def setup(self, bottom, top):
        top[0].reshape(2, 1, 4, 8)

    def reshape(self, bottom, top):
        pass

    def forward(self, bottom, top):
        log.append("targets")
        top[0].reshape(2, 1, *bottom[0].data.shape[2:])
        top[0].data[...] = bottom[0].data.argmax(axis=1)[:, None] % 2

    def backward(self, top, propagate_down, bottom):
        pass
'''

NET = """
layer {{ name: "images" type: "Python" top: "data"
  python_param {{ module: "{module}" layer: "Images" param_str: "{last}" }} }}
layer {{ name: "bn" type: "BatchNorm" bottom: "data" top: "bn" }}
layer {{ name: "c" type: "Convolution" bottom: "bn" top: "c"
  convolution_param {{ num_output: 4 kernel_size: 1 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "drop" type: "Dropout" bottom: "c" top: "c" }}
layer {{ name: "score" type: "Convolution" bottom: "c" top: "score"
  convolution_param {{ num_output: 2 kernel_size: 1 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "targets" type: "Python" bottom: "score" top: "label"
  python_param {{ module: "{module}" layer: "Targets" }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "loss"
  propagate_down: true propagate_down: false }}
"""

SOLVER = 'net: "{net}" base_lr: 0.5 lr_policy: "fixed" momentum: 0.9 max_iter: 9 random_seed: 3\n'


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROASTERY_PYTHON_LAYERS", "1")
    name = f"changing_layers_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    sys.modules.pop(name, None)


def write_solver(folder: Path, module: str, kind: str, last: int = 0) -> str:
    net, solver = folder / f"{kind}.prototxt", folder / f"{kind}_solver.prototxt"
    net.write_text(NET.format(module=module, last=last))
    solver.write_text(SOLVER.format(net=net))
    return str(solver)


def test_the_whole_plan_does_what_the_layers_do(tmp_path: Path, module: str) -> None:
    one = build_solver(write_solver(tmp_path, module, "one"), "reference", layerwise=True)
    whole = build_solver(write_solver(tmp_path, module, "whole"), "reference")
    log = sys.modules[module].log
    for n in range(1, 9):
        log.clear()
        one.step(1)
        assert log == [f"images {n}", "targets"]
        log.clear()
        whole.step(1)
        assert log == [f"images {n}", "targets"], "each layer once a pass"
        assert whole.train.output("loss") == pytest.approx(one.train.output("loss"), rel=1e-5)
        for variable in one.train.program.parameters:  # the statistics of BatchNorm, too
            mine, theirs = (run.train.store.data[variable.name].array for run in (whole, one))
            np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)
        assert whole.train.random_state() == one.train.random_state()


def test_a_layer_before_the_one_that_changes_runs_once(tmp_path: Path, module: str) -> None:
    (tmp_path / "before.py").write_text(
        "import caffe\n"
        "class Steady(caffe.Layer):\n"
        "    def setup(self, bottom, top): self.n = 0; top[0].reshape(3, 2)\n"
        "    def reshape(self, bottom, top): pass\n"
        "    def forward(self, bottom, top): self.n += 1; top[0].data[...] = self.n\n"
        "class First(Steady):\n"
        "    def forward(self, bottom, top):\n"
        "        self.n += 1\n"
        "        top[0].reshape(1 + self.n % 3, 2)\n"
        "        top[0].data[...] = bottom[0].data[: 1 + self.n % 3]\n"
    )
    (tmp_path / "net.prototxt").write_text(
        'layer { name: "a" type: "Python" top: "a" '
        'python_param { module: "before" layer: "Steady" } }'
        'layer { name: "b" type: "Python" bottom: "a" top: "b" '
        'python_param { module: "before" layer: "First" } }'
        'layer { name: "f" type: "InnerProduct" bottom: "b" top: "f" '
        'inner_product_param { num_output: 1 weight_filler { type: "constant" value: 1 } } }'
        'layer { name: "l" type: "Reduction" bottom: "f" top: "l" loss_weight: 1 '
        "reduction_param { operation: MEAN } }"
    )
    (tmp_path / "solver.prototxt").write_text(
        'net: "net.prototxt" base_lr: 0 lr_policy: "fixed" max_iter: 9'
    )
    solver = build_solver("solver.prototxt", "reference")
    for n in range(1, 9):
        solver.step(1)
        assert solver.train.output("l") == 2 * n
    sys.modules.pop("before", None)


def test_an_error_of_a_layer_leaves_no_results_behind(tmp_path: Path, module: str) -> None:
    solver = build_solver(write_solver(tmp_path, module, "net", last=3), "reference")
    solver.step(2)
    log = sys.modules[module].log
    log.clear()
    with pytest.raises(ValueError, match="no more pictures"):
        solver.step(1)
    solver.step(2)
    assert log == ["images 3", "images 4", "targets", "images 5", "targets"]
    assert np.isfinite(solver.train.output("loss"))


def test_files_get_their_rows_once(tmp_path: Path, module: str) -> None:
    (tmp_path / "fixed.py").write_text(
        "import caffe\n"
        "class Grow(caffe.Layer):\n"
        "    def setup(self, bottom, top): self.n = 0; top[0].reshape(1, 2)\n"
        "    def reshape(self, bottom, top): pass\n"
        "    def forward(self, bottom, top):\n"
        "        self.n += 1\n"
        "        top[0].reshape(self.n, 2)\n"
        "        top[0].data[...] = self.n\n"
    )
    grow = 'type: "Python" python_param { module: "fixed" layer: "Grow" }'
    (tmp_path / "net.prototxt").write_text(
        f'layer {{ name: "a" top: "a" {grow} }} layer {{ name: "b" top: "b" {grow} }}'
        'layer { name: "out" type: "HDF5Output" bottom: "a" bottom: "b" '
        f'hdf5_output_param {{ file_name: "{tmp_path}/rows.h5" }} }}'
        f'layer {{ name: "c" top: "c" {grow} }}'
        'layer { name: "s" type: "Eltwise" bottom: "a" bottom: "c" top: "y" }'
    )
    net = roastery.compile(str(tmp_path / "net.prototxt"), device="reference")
    for n in range(1, 5):
        np.testing.assert_array_equal(net()["y"], np.full((n, 2), 2 * n))
    sys.modules.pop("fixed", None)
    with h5py.File(tmp_path / "rows.h5") as file:
        np.testing.assert_array_equal(file["data"][:, 0, 0, 0], [1, 2, 2, 3, 3, 3, 4, 4, 4, 4])


def test_a_compiled_net_follows_inputs_of_other_sizes(tmp_path: Path, module: str) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(
        'layer { name: "in" type: "Input" top: "score" '
        "input_param { shape { dim: 2 dim: 2 dim: 4 dim: 8 } } }"
        'layer { name: "targets" type: "Python" bottom: "score" top: "label" '
        f'python_param {{ module: "{module}" layer: "Targets" }} }}'
        'layer { name: "e" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "e" }'
        'layer { name: "f" type: "InnerProduct" bottom: "label" top: "f" '
        "inner_product_param { num_output: 1 } }"
    )
    net = roastery.compile(str(path), device="reference")
    log = sys.modules[module].log
    log.clear()
    rng = np.random.default_rng(0)
    shapes = [
        (2, 2, 8, 4),
        (2, 2, 4, 8),
        (2, 2, 16, 2),
        (2, 2, 2, 16),
        (2, 2, 1, 32),
        (2, 2, 32, 1),
    ]
    for shape in shapes:
        x = rng.standard_normal(shape).astype(np.float32)
        p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
        assert net(score=x)["e"] == pytest.approx(-np.log(p.max(axis=1)).mean(), rel=1e-4)
    assert log == ["targets"] * len(shapes)
    slope = (p - (p == p.max(axis=1, keepdims=True))) / p[:, 0].size
    np.testing.assert_allclose(net.backward()["score"], slope, atol=1e-6)
    with pytest.raises(RoasteryError, match="at this size of the input it would need"):
        net(score=np.zeros((2, 2, 5, 5)))
    x = rng.standard_normal((2, 2, 4, 8))
    assert np.isfinite(net(score=x)["e"])


def test_outputs_of_changing_sizes_have_means(tmp_path: Path, module: str) -> None:
    write_solver(tmp_path, module, "net")
    with (tmp_path / "net.prototxt").open("a") as file:
        file.write(
            'layer { name: "q" type: "Power" bottom: "label" top: "q" power_param { shift: 1 }\n'
            "  include { phase: TEST } }\n"
        )
    with (tmp_path / "net_solver.prototxt").open("a") as file:
        file.write("test_iter: 3 test_interval: 100\n")
    solver = build_solver(str(tmp_path / "net_solver.prototxt"), "reference")
    outputs = {output.name: output.values for output in solver.test()}
    assert len(outputs["q"]) == 2 * 6 * 8, "as many as the largest batch has"
    assert all(1 <= value <= 2 for value in outputs["q"])
    mean = OutputMean()
    for values in ([1.0, 2.0], [3.0], [5.0, 4.0, 9.0]):
        mean.add(values)
    assert mean.values == (3.0, 3.0, 9.0)
