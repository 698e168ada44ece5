"""What a plan says that it needs is what the device is asked for."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

from compiler.options import CompileOptions
from compiler.plan.footprint import footprint
from runtime.cuda.backend import CudaBackend
from runtime.cuda.executor.graph import CudaGraph
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from runtime.solver.config import SolverConfig
from runtime.solver.learning_rate import LearningRateConfig
from runtime.solver.update import Updater
from tests.support.fake_gpu import FakeGpu
from tests.support.sample_nets import lenet, normalised
from tests.support.training_run import lowered


def bound_by(backend: CudaBackend, monkeypatch: pytest.MonkeyPatch) -> list[CudaGraph]:
    bound: list[CudaGraph] = []
    bind = backend.bind

    def remember(*arguments: Any) -> CudaGraph:
        bound.append(bind(*arguments))
        return bound[-1]

    monkeypatch.setattr(backend, "bind", remember)
    return bound


NETS = {"lenet": lenet(64), "normalised": normalised(10, 16, 8)}


@pytest.mark.parametrize(
    ("name", "budget"), [("lenet", None), ("normalised", None), ("normalised", 0.75)]
)
def test_of_a_training_step(
    name: str, budget: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = FakeGpu(1 << 27)
    rate = LearningRateConfig("fixed", 0.1)
    config = SolverConfig(learning_rate=rate, type="Adam", momentum=0.9)
    backend = gpu.backend()
    program, bound = lowered(NETS[name]), bound_by(backend, monkeypatch)

    def run(options: CompileOptions) -> int:
        """Bytes that a pass and an update took."""
        net = PartitionedNet(program, backend, Store(program.variables, seed=1), options=options)
        net.inputs.take({n: np.zeros(b.shape, np.float32) for n, b in net.inputs.items()})
        updater = Updater(config, net)
        net.forward_backward()
        updater.apply(0.1, 0)
        return sum(map(len, gpu.fake.allocations.values()))

    asked = run(CompileOptions(backend.target))
    planned = next(b.plan for b in bound if "update" not in b.plan.name)
    history = 2 * footprint(planned).diffs
    if budget is not None:
        least = int(budget * (footprint(planned).total + history))
        bound.clear()
        gc.collect()
        backend.session.close()
        options = CompileOptions(backend.target, memory_budget=least, memory_elsewhere=history)
        asked = run(options)
        planned = next(b.plan for b in bound if "update" not in b.plan.name)
        assert footprint(planned).total + history <= least
        assert asked <= 1.02 * least
    assert asked == pytest.approx(footprint(planned).total + history, rel=0.02)
    gpu.fake.check()
