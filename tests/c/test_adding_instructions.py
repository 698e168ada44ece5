"""Other instructions of CPUs, with vectors of another length, are one row of a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from compiler import instructions
from compiler.c.lanes import lanes_of
from compiler.instructions import Instructions, instructions_named
from compiler.options import CompileOptions
from roastery.api.cpu_baselines import baseline_target
from runtime.backends.backend import Backend
from runtime.backends.reference import ReferenceBackend
from runtime.cpu.backend import CpuBackend
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from tests.support import c_kernels
from tests.support.lowering import lowered
from tests.support.sample_nets import inception


@c_kernels.needs_compiler
@pytest.mark.parametrize("lanes", [2, 8])
def test_a_row_is_all(lanes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the least instructions of this machine, which compilers make longer vectors of."""
    machine = instructions_named(c_kernels.machine().instructions).machine
    row = Instructions("own", machine, frozenset(), (), 4 * lanes, 16)
    monkeypatch.setattr(instructions, "INSTRUCTIONS", (row, *instructions.INSTRUCTIONS))
    target = replace(baseline_target("own"), processors=1)
    assert (lanes_of(target), target.layout) == (lanes, f"channels-by-{lanes}")
    options = CompileOptions(target)
    backend = CpuBackend(c_kernels.compiler(), target=target)
    program = lowered(inception(batch=2, side=7))

    def trained(backend: Backend) -> tuple[float, dict[str, np.ndarray]]:
        net = PartitionedNet(program, backend, Store(program.variables, seed=1), options=options)
        random = np.random.default_rng(0)
        for name, blob in net.inputs.items():
            shape = blob.shape
            label = name == "label"
            blob.data.array[...] = random.integers(0, 5, shape) if label else random.random(shape)
        loss = net.forward_backward()
        return loss, {name: buffer.array.copy() for name, buffer in net.store.diff.items()}

    loss, diffs = trained(backend)
    wanted, known = trained(ReferenceBackend())
    assert loss == pytest.approx(wanted, rel=1e-5)
    for name, diff in known.items():
        largest = max(float(np.abs(diff).max()), 0.1)  # some are 0 but for rounding
        np.testing.assert_allclose(diffs[name] / largest, diff / largest, atol=2e-5, err_msg=name)
