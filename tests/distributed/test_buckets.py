"""Buckets of gradients: what is in them, and when in a pass they leave, on all executors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from compiler.options import CompileOptions
from compiler.partitions import Partitioning, by_layer, whole
from ir.program import NetProgram
from roastery.devices.backends import open_backend
from roastery.reading.nets import net_from_text
from runtime.backends.backend import Backend
from runtime.backends.reference import ReferenceBackend
from runtime.cuda.executor.device_copy import CudaCopy
from runtime.distributed.buckets import buckets_of
from runtime.distributed.ranks import Alone
from runtime.distributed.reduction import GradientReduction
from runtime.memory.buffers import Buffer
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from runtime.net.complete import Complete, ForwardEnds
from runtime.net.context import After
from tests.support.fake_gpu import FakeGpu
from tests.support.lowering import layers_of
from tests.support.sample_nets import inception, inputs, siamese

MANY = 1 << 10
"""Bytes of a bucket, so that small nets have many."""

FROZEN = (
    inputs(x=(4, 3), label=(4,))
    + """
layer { name: "a" type: "InnerProduct" bottom: "x" top: "a" inner_product_param { num_output: 3 } }
layer { name: "b" type: "InnerProduct" bottom: "a" top: "b" param { lr_mult: 0 }
  param { lr_mult: 1 } inner_product_param { num_output: 3 } }
layer { name: "c" type: "InnerProduct" bottom: "b" top: "c" inner_product_param { num_output: 3 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "c" bottom: "label" top: "loss" }
"""
)

NETS = {"inception": inception(batch=2), "siamese": siamese(), "frozen": FROZEN}


def net_of(
    text: str, backend: Backend, cut: Callable[[NetProgram], Partitioning] = whole
) -> PartitionedNet:
    layers = layers_of(net_from_text(text), "TRAIN")
    net = PartitionedNet(
        layers.program,
        backend,
        Store(layers.program.variables, seed=1),
        lower_again=layers.part,
        partitioning=cut(layers.program),
        options=CompileOptions(target=backend.target),
    )
    draw = np.random.default_rng(0)
    for name, blobs in net.inputs.items():
        shape = blobs.data.type.shape
        labels = len(shape) == 1 or name == "sim"
        net.inputs.put({name: draw.integers(0, 2, shape) if labels else draw.random(shape)})
    return net


@pytest.mark.parametrize("limit", [1, MANY, 1 << 30])
def test_every_diff_is_in_one_bucket(limit: int) -> None:
    store = net_of(inception(batch=2), ReferenceBackend()).store
    buckets = buckets_of(store, limit)
    names = [name for bucket in buckets for name in bucket.names]
    assert sorted(names) == sorted(name for name, v in store.variables.items() if v.learns)
    for bucket in buckets:
        bucket.diffs.array[...] += 1.0
        largest = max(store.diff[name].capacity * 4 for name in bucket.names)
        assert bucket.nbytes <= max(limit, largest + limit // 8)  # with a few biases
    assert all((store.diff[name].peek() == 1.0).all() for name in names)
    assert (len(buckets) == len(names)) == (limit == 1)


def test_what_does_not_learn_is_in_none() -> None:
    store = net_of(FROZEN, ReferenceBackend()).store
    names = [bucket.names for bucket in buckets_of(store)]
    still = {name for name, variable in store.variables.items() if not variable.learns}
    assert still and not still & {name for each in names for name in each}
    store.flat_diff.array[...] = 1.0
    for bucket in buckets_of(store):
        bucket.diffs.array[...] = 0.0
    assert all((store.diff[name].peek() == 1.0).all() for name in still)


def test_later_layers_leave_first() -> None:
    store = net_of(inception(batch=2), ReferenceBackend()).store
    place = {name: number for number, name in enumerate(store.variables)}
    first = [min(place[name] for name in bucket.names) for bucket in buckets_of(store, MANY)]
    assert first == sorted(first, reverse=True)


class Doubled(Alone):
    """Two ranks that have the same records: what leaves is looked at, and comes back as it was."""

    count = 2

    def __init__(self) -> None:
        self.left: list[np.ndarray] = []
        self.waited = 0

    def average_later(self, buffer: Buffer, done: Callable[[], None] | None = None) -> None:
        self.left.append(now_in(buffer))

    def finish_averages(self) -> None:
        self.waited += 1


def now_in(buffer: Buffer) -> np.ndarray:
    """What memory holds in the middle of a pass; on a GPU that is the device's side."""
    copy = buffer.memory.device_copy
    if not isinstance(copy, CudaCopy):
        return np.array(buffer.peek())
    found = np.zeros(buffer.type.shape, np.float32)
    copy.session.download(found, copy.address + buffer.span[0])
    return found


class Watched(GradientReduction):
    """Notes the numbers of buckets that left before the end of a pass."""

    early: list[int]

    def calls(self, complete: Mapping[str, Complete], forward: ForwardEnds) -> Mapping[int, After]:
        self.early = []
        found = super().calls(complete, forward)

        def noting(call: Callable[[], None]) -> Callable[[], None]:
            def both() -> None:
                call()
                self.early.append(self._begun)

            return both

        return {
            part: {step: noting(call) for step, call in after.items()}
            for part, after in found.items()
        }


def executors() -> dict[str, Callable[[], Backend]]:
    return {
        "reference": ReferenceBackend,
        "cpu": lambda: open_backend("cpu"),
        "cuda": lambda: FakeGpu(1 << 25).backend(),
    }


@pytest.mark.parametrize("executor", executors())
@pytest.mark.parametrize("cut", [whole, by_layer])
@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("adding", [False, True])
def test_what_leaves_is_complete(
    executor: str, cut: Callable[[NetProgram], Partitioning], name: str, adding: bool
) -> None:
    plain, watched = (net_of(NETS[name], executors()[executor](), cut) for _ in range(2))
    ranks = Doubled()
    reduction = Watched(ranks, watched.store, 1)
    for _ in range(3):  # a GPU captures what runs for the second time
        for net in (plain, watched):
            net.store.clear_diffs()
        expected = plain.training_pass(adding=adding)()
        ranks.left, ranks.waited = [], 0
        loss = watched.training_pass(adding=adding, watch=reduction)
        reduction.finish()
        assert loss() == expected
        assert len(ranks.left) == len(reduction.buckets) and ranks.waited == 1
        for bucket, left in zip(reduction.buckets, ranks.left, strict=True):
            np.testing.assert_array_equal(left, bucket.diffs.peek(), str(bucket.names))
        for key, diff in plain.store.diff.items():
            np.testing.assert_array_equal(watched.store.diff[key].peek(), diff.peek(), key)
    planned = executor != "reference" or cut is by_layer
    if planned and name != "siamese":  # whose parameters are complete together
        assert len(set(reduction.early)) > 1, "some leave before others are complete"


def test_other_sizes() -> None:
    net = net_of(inception(batch=2), open_backend("cpu"))
    ranks = Doubled()
    reduction = Watched(ranks, net.store, MANY)
    for batch in (2, 3, 2):
        inputs_now = {
            name: np.ones((batch, *blobs.data.type.shape[1:])) for name, blobs in net.inputs.items()
        }
        net.inputs.put(inputs_now)
        ranks.left = []
        net.training_pass(watch=reduction)
        reduction.finish()
        for bucket, left in zip(reduction.buckets, ranks.left, strict=True):
            np.testing.assert_array_equal(left, bucket.diffs.peek())


def test_buckets_of_names_that_nothing_writes_come_last() -> None:
    store = net_of(FROZEN, ReferenceBackend()).store
    reduction = GradientReduction(Doubled(), store, 1)
    order = [bucket.names[0] for bucket in reduction.buckets]
    known = {name: Complete(0, number) for number, name in enumerate(reversed(order[1:]))}
    reduction.calls(known, lambda: None)
    assert [bucket.names[0] for bucket in reduction.buckets] == [*order[1:], order[0]]
