"""Training steps of small nets are the same on every executor and in every plan."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.options import CompileOptions
from compiler.partitions import by_layer, whole
from frontends.prototxt import parse_text
from roastery.devices.backends import open_backend
from roastery.reading import nets
from roastery.training.solvers import build_solver
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from runtime.solver.solver import Solver
from tests.support import sample_nets as sample
from tests.support.lowering import program_of

NETS = {
    "inception": sample.inception(batch=3, side=5, channels=1),
    "residual": sample.residual(),
    "recurrent": sample.recurrent(),
    "siamese": sample.siamese(),
    "dropouts": sample.dropouts(),
}
OTHERS = (("reference", "layerwise"), ("interpret", "fused"), ("interpret", "layerwise"))
STEPS = 2
SOLVER = (
    'base_lr: 0.1 lr_policy: "fixed" momentum: 0.9 weight_decay: 0.001 random_seed: 5 '
    "max_iter: 100 snapshot_after_train: false net_param { %s }"
)


def trained(text: str, device: str, plan: str) -> tuple[list[float], dict[str, np.ndarray]]:
    """The losses of some steps, and the variables after them."""
    message = parse_text(SOLVER % text, "SolverParameter")
    solver = build_solver(message, device, layerwise=plan == "layerwise")
    _fill(solver)
    losses = []
    for _ in range(STEPS):
        solver.step(1)
        losses.append(float(solver.train.output("loss")))
    return losses, {name: b.array.copy() for name, b in solver.train.store.data.items()}


def _fill(solver: Solver) -> None:
    net = solver.train
    rng = np.random.default_rng(3)
    for name in net.program.inputs:
        buffer = net.inputs[name].data
        shape = buffer.type.shape
        if name == "label":
            buffer.array[...] = rng.integers(0, 2, shape)
        elif name == "cont":
            buffer.array[...] = rng.integers(0, 3, shape) > 0
        else:
            buffer.array[...] = rng.standard_normal(shape)


@pytest.mark.parametrize("name", NETS)
def test_every_executor_trains_alike(name: str) -> None:
    expected, variables = trained(NETS[name], "reference", "fused")
    assert len(set(expected)) == STEPS
    for device, plan in OTHERS:
        losses, found = trained(NETS[name], device, plan)
        np.testing.assert_allclose(losses, expected, rtol=1e-4, err_msg=f"{device} {plan}")
        for variable, array in variables.items():
            np.testing.assert_allclose(
                found[variable], array, rtol=1e-3, atol=1e-4, err_msg=f"{device} {plan} {variable}"
            )


MASK = sample.inputs(data=(40, 25)) + sample.layer("y", "Dropout", "data")


def masks(device: str, plan: str, seed: int) -> list[np.ndarray]:
    """What two forward passes keep of ones."""
    program = program_of(nets.net_from_text(MASK, "net.prototxt"), "TRAIN")
    net = PartitionedNet(
        program,
        open_backend(device),
        Store(program.variables, seed),
        partitioning=whole(program) if plan == "fused" else by_layer(program),
        options=CompileOptions(),
    )
    net.inputs["data"].data.array[...] = 1.0
    kept = []
    for _ in range(2):
        net.forward()
        kept.append(net.output("y") != 0)
    return kept


def test_masks_are_the_same_everywhere() -> None:
    first, second = masks("reference", "fused", 5)
    assert 0.4 < first.mean() < 0.6
    assert 0.4 < (first == second).mean() < 0.6
    assert (masks("reference", "fused", 6)[0] != first).any()
    for device, plan in OTHERS:
        np.testing.assert_array_equal(masks(device, plan, 5), [first, second])
