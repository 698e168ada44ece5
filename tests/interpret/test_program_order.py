"""Nets do the same in whichever order the programs of each launch run: none needs another's.

Buffers are shared: a plan that let a kernel overwrite what other programs of it still read would
be right in one order, and wrong in others.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from compiler.options import CompileOptions
from ir.graph import Node, Value
from runtime.interpret.backend import InterpretBackend
from runtime.interpret.launcher import InterpretLauncher, KernelFailure
from runtime.interpret.program_order import Order
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from tests.support import sample_nets as sample
from tests.support.program_orders import ORDERS, shuffled
from tests.support.training_run import Training, lowered, train

NETS = {
    "lenet": sample.inputs(data=(2, 1, 10, 10), label=(2,))
    + sample.conv("conv1", "data", 6, 3)
    + sample.pool("pool1", "conv1", "pool: MAX kernel_size: 2 stride: 2")
    + sample.conv("conv2", "pool1", 36, 3)
    + sample.pool("pool2", "conv2", "pool: MAX kernel_size: 2 stride: 2")
    + sample.dense("ip1", "pool2", 50)
    + sample.relu("ip1")
    + sample.dense("ip2", "ip1", 10)
    + sample.layer("loss", "SoftmaxWithLoss", "ip2 label"),
    "inception": sample.inception(batch=2, side=6, channels=1),
    "residual": sample.residual(batch=2, side=6),
}


class Counted:
    """An order that keeps count of launches and of those that have several programs."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.all = self.several = 0

    def __call__(self, count: int) -> Sequence[int]:
        self.all += 1
        self.several += count > 1
        return self.order(count)


def trained(text: str, order: Order | None, *, layerwise: bool, check: bool = False) -> Training:
    backend = InterpretBackend(InterpretLauncher(check=check, order=order))
    return train(text, backend, 1, layerwise=layerwise)


def same(ours: Training, theirs: Training) -> bool:
    """To the last bit."""
    pairs = [(ours.data, theirs.data), (ours.diff, theirs.diff)]
    assert all(a.keys() == b.keys() for a, b in pairs)
    return ours.losses == theirs.losses and all(
        np.array_equal(a[name], b[name]) for a, b in pairs for name in b
    )


@pytest.mark.parametrize(
    ("net", "layerwise"), [*((net, False) for net in NETS), ("residual", True)]
)
def test_nets_train_alike(net: str, layerwise: bool) -> None:
    first = trained(NETS[net], None, layerwise=layerwise, check=True)
    order = Counted(shuffled)
    assert same(trained(NETS[net], order, layerwise=layerwise), first)
    assert order.several > order.all / 3


NEIGHBOURS = (
    sample.inputs(data=(1, 3, 12, 12))
    + sample.conv("conv1", "data", 4, 1)
    + sample.pool("pool", "conv1", "pool: MAX kernel_size: 3 stride: 1 pad: 1")
    + sample.conv("conv2", "pool", 1, 1)
)


def pooled(order: Order | None, *, check: bool) -> np.ndarray:
    backend = InterpretBackend(InterpretLauncher(check=check, order=order))
    program = lowered(NEIGHBOURS)
    net = PartitionedNet(
        program, backend, Store(program.variables, seed=1), options=CompileOptions()
    )
    net.inputs["data"].data.array[...] = np.random.default_rng(1).random((1, 3, 12, 12))
    net.forward()
    return net.output("conv2").copy()


def overwrites_all_of_its_size(node: Node, operand: Value, result: Value) -> bool:
    return operand.type.nbytes == result.type.nbytes


def test_an_unsafe_alias_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pooling reads its neighbours: in place, a program reads what another one has overwritten."""
    right = pooled(None, check=True)
    np.testing.assert_array_equal(pooled(shuffled, check=False), right)
    monkeypatch.setattr("compiler.plan.assignment.may_overwrite", overwrites_all_of_its_size)
    wrong = [pooled(order, check=False) for order in (None, *ORDERS)]
    assert not any(np.array_equal(a, b) for a, b in itertools.combinations([right, *wrong], 2))
    for order in (None, *ORDERS):
        with pytest.raises(KernelFailure, match=r"kernel pool .* that another \("):
            pooled(order, check=True)
