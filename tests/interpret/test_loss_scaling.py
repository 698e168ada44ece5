"""Training in 16 bits: close to float32's, and the scale of losses in float16."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe
from frontends.caffemodel import read_state, read_weights
from ir.errors import RoasteryError
from roastery.cli.main import main
from roastery.training.snapshots import POSITION_FIELD
from runtime.backends.reference import ReferenceBackend
from runtime.interpret.backend import InterpretBackend
from runtime.solver.loss_scaling import PATIENCE, START
from runtime.solver.solver import Solver
from tests.support.interpreting_gpu import InterpretingGpu
from tests.support.sample_nets import conv, dense, dropouts, inputs, layer, residual
from tests.support.training_run import Training, train, worst

SKIPPED = "gradients are not finite: the step is skipped, loss scale "


def learned(precision: str, text: str = "", **settings: object) -> Training:
    text = text or residual()
    return train(text, InterpretBackend(), 3, precision=precision, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("layerwise", [False, True], ids=["fused", "layerwise"])
@pytest.mark.parametrize(("precision", "tolerance"), [("float16", 0.005), ("bfloat16", 0.05)])
def test_it_learns_as_in_float32(precision: str, tolerance: float, layerwise: bool) -> None:
    settings = {"iter_size": 2, "clip_gradients": 0.5, "layerwise": layerwise}
    ours = learned(precision, dropouts(), **settings)
    theirs = train(dropouts(), ReferenceBackend(), 3, **settings)  # type: ignore[arg-type]
    np.testing.assert_allclose(ours.losses, theirs.losses, rtol=tolerance)
    assert worst(ours.data, theirs.data) < tolerance
    assert SKIPPED not in ours.log
    clipped = [re.findall(r"L2 norm ([\d.]+)", log) for log in (ours.log, theirs.log)]
    norms = [np.array(found, float) for found in clipped]
    assert len(norms[0]) == 3  # of the true gradients, not the scaled ones
    np.testing.assert_allclose(norms[0], norms[1], rtol=tolerance)


def test_a_step_whose_gradients_overflow_is_skipped() -> None:
    """The next one has half the scale, until they fit."""
    seen: list[tuple[float, np.ndarray]] = []

    def watch(solver: Solver) -> None:
        assert solver.scaling is not None and solver.scaling.scale == START
        solver.scaling.scale = 2.0**23
        name = next(iter(solver.train.store.data))

        def look() -> None:
            assert solver.scaling is not None
            seen.append((solver.scaling.scale, solver.train.store.data[name].peek().copy()))

        look()
        solver.on_update.append(look)

    text = dropouts().replace('type: "SoftmaxWithLoss"', 'type: "SoftmaxWithLoss" loss_weight: 100')
    ours = train(text, InterpretBackend(), 14, precision="float16", prepare=watch)
    scales = [scale for scale, _ in seen]
    skipped = ours.log.count(SKIPPED)
    assert 2 < skipped < 14
    assert scales[: skipped + 1] == [2.0 ** (23 - i) for i in range(skipped + 1)]
    assert set(scales[skipped:]) == {scales[skipped]}
    for number, (_, after) in enumerate(seen[1:]):
        assert np.array_equal(after, seen[number][1]) == (number < skipped)
    assert f"Iteration 0, {SKIPPED}8388608 -> 4194304" in ours.log
    assert all(np.isfinite(array).all() for array in ours.data.values())


def test_activations_that_overflow_are_told() -> None:
    """No scale helps: the log says that there is none smaller, and what could be the cause."""

    def put(solver: Solver) -> None:
        assert solver.scaling is not None
        solver.scaling.scale = 2.0
        for buffer in solver.train.store.data.values():
            if buffer.type.dtype.is_float:
                buffer.array[...] = 1e30

    log = train(dropouts(), InterpretBackend(), 2, precision="float16", prepare=put).log
    assert f"Iteration 0, {SKIPPED}2 -> 1" in log
    assert f"Iteration 1, {SKIPPED}1, the least that there is" in log
    assert "in float16 an activation above 65504 is enough" in log


def test_what_is_seen_does_not_depend_on_the_scale() -> None:
    """Powers of two change no digit, as long as nothing is lost."""
    found = []
    for scale in (2.0**9, 2.0**12):

        def put(solver: Solver, scale: float = scale) -> None:
            assert solver.scaling is not None
            solver.scaling.scale = scale

        found.append(learned("float16", prepare=put))
    assert worst(found[0].diff, found[1].diff) < 1e-2
    assert max(float(np.abs(a).max()) for a in found[0].diff.values()) < 10


def test_after_many_good_steps_it_is_doubled() -> None:
    def nearly(solver: Solver) -> None:
        assert solver.scaling is not None
        solver.scaling.good = PATIENCE - 2

    ours = learned("float16", prepare=nearly)
    said = "Iteration 1, gradients stayed finite: loss scale 32768 -> 65536"
    assert said in ours.log and ours.log.count("loss scale") == 1


@pytest.mark.parametrize("overflow", [False, True])
def test_on_a_device_with_memory_of_its_own(overflow: bool, tmp_path: Path) -> None:
    gpu = InterpretingGpu(tmp_path)

    def put(solver: Solver) -> None:
        assert solver.scaling is not None
        solver.scaling.scale = 2.0**24 if overflow else START

    text = dropouts()
    if overflow:
        text = text.replace('type: "SoftmaxWithLoss"', 'type: "SoftmaxWithLoss" loss_weight: 1000')
    ours = train(text, gpu.backend(), 2, precision="float16", prepare=put)
    gpu.fake.check()
    assert ours.log.count(SKIPPED) == (2 if overflow else 0)


NET = """
layer { name: "data" type: "DummyData" top: "x" top: "label"
  dummy_data_param { shape { dim: 4 dim: 8 } shape { dim: 4 }
    data_filler { type: "gaussian" std: 1 } data_filler { type: "constant" value: 1 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip"
  inner_product_param { num_output: 16 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "ip" top: "ip" }
layer { name: "score" type: "InnerProduct" bottom: "ip" top: "score"
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" loss_weight: 1000 }
"""
SOLVER = 'net: "net.prototxt" base_lr: 1e-6 lr_policy: "fixed" momentum: 0.9 random_seed: 1 '


def test_a_resumed_run_is_the_unbroken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET)

    def run(name: str, most: int, *flags: str) -> str:
        text = f'{SOLVER} max_iter: {most} snapshot: 3 snapshot_prefix: "{name}"'
        Path(f"{name}.prototxt").write_text(text)
        common = [f"--solver={name}.prototxt", "--device=interpret", "--precision=float16"]
        assert main(["train", *common, *flags]) == 0
        return capfd.readouterr().err

    whole = run("whole", 9)
    assert 3 < whole.count(SKIPPED) < 9
    run("part", 3)
    resumed = run("part", 9, "--snapshot=part_iter_3.solverstate")
    lines = [re.findall(r"Iteration \d+, gradients.*", log) for log in (whole, resumed)]
    assert lines[1] and lines[0][-len(lines[1]) :] == lines[1]
    for name in ("whole", "part"):
        position = json.loads(read_state(f"{name}_iter_9.solverstate").extra[POSITION_FIELD])
        assert position["loss_scale"]["scale"] < START / 4 and position["loss_scale"]["good"] > 0
    one, other = (read_weights(Path(f"{name}_iter_9.caffemodel")) for name in ("whole", "part"))
    for mine, theirs in zip(one, other, strict=True):
        for a, b in zip(mine.blobs, theirs.blobs, strict=True):
            np.testing.assert_array_equal(a, b)


PYTHON_LAYERS = """
import numpy as np
import caffe

class Distance(caffe.Layer):
    def setup(self, bottom, top): pass
    def reshape(self, bottom, top): top[0].reshape(1)
    def forward(self, bottom, top):
        self.diff = bottom[0].data - bottom[1].data
        top[0].data[...] = (self.diff ** 2).sum() / bottom[0].num / 2.0
    def backward(self, top, propagate_down, bottom):
        bottom[0].diff[...] = self.diff / bottom[0].num  # without the diff of its top

class Clip(caffe.Layer):
    def setup(self, bottom, top): pass
    def reshape(self, bottom, top): top[0].reshape(*bottom[0].data.shape)
    def forward(self, bottom, top): top[0].data[...] = bottom[0].data
    def backward(self, top, propagate_down, bottom):
        bottom[0].diff[...] = np.clip(top[0].diff, -0.01, 0.01)
"""
PYTHON_NET = (
    inputs(data=(3, 4, 5, 5), target=(3, 6))
    + conv("c", "data", 4, 3, "pad: 1")
    + layer("clip", "Python", "c", 'python_param { module: "user_layers" layer: "Clip" }')
    + dense("ip", "clip", 6)
    + layer(
        "loss",
        "Python",
        "ip target",
        'python_param { module: "user_layers" layer: "Distance" } loss_weight: 1',
    )
)


@pytest.mark.parametrize("layerwise", [False, True], ids=["fused", "layerwise"])
def test_python_layers_see_true_diffs(
    layerwise: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those may be clipped there, or made without a look at what comes."""
    (tmp_path / "user_layers.py").write_text(PYTHON_LAYERS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "caffe", caffe)
    ours = learned("float16", PYTHON_NET, layerwise=layerwise)
    theirs = train(PYTHON_NET, ReferenceBackend(), 3, layerwise=layerwise)
    monkeypatch.delitem(sys.modules, "user_layers")
    np.testing.assert_allclose(ours.losses, theirs.losses, rtol=0.005)
    assert worst(ours.diff, theirs.diff) < 0.01


@pytest.mark.parametrize(
    "damage",
    [
        {"scale": "large", "good": 0},
        {"scale": 3.0, "good": 0},
        {"scale": 0.0, "good": 0},
        {"scale": 1e300, "good": 0},
        {"scale": 8.0, "good": -1},
        {"scale": 8.0, "good": 10**9},
        {"scale": 8.0, "good": True},
        {"good": 1},
        [1],
    ],
)
def test_a_damaged_scale_is_refused(damage: object) -> None:
    restored: list[Callable[[], None]] = []

    def put(solver: Solver) -> None:
        position = solver.position() | {"loss_scale": damage}
        with pytest.raises(RoasteryError, match="damaged"):
            solver.restore_position(position)
        solver.restore_position({k: v for k, v in position.items() if k != "loss_scale"})
        restored.append(lambda: None)

    train(dropouts(), InterpretBackend(), 0, precision="float16", prepare=put)
    assert restored


def test_other_precisions_have_no_scale() -> None:
    def look(solver: Solver) -> None:
        assert solver.scaling is None and "loss_scale" not in solver.position()

    for precision in ("float32", "bfloat16"):
        train(dropouts(), InterpretBackend(), 0, precision=precision, prepare=look)
    train(dropouts(), ReferenceBackend(), 0, precision="float16", prepare=look)
