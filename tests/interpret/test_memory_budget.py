"""Training within a memory budget, by kernels that are interpreted."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from compiler.options import CompileOptions
from ir.errors import RoasteryError
from runtime.backends.backend import Backend
from runtime.backends.reference import ReferenceBackend
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from tests.support.interpreting_gpu import InterpretingGpu
from tests.support.sample_nets import bottlenecks, normalised, rectified_and_pooled
from tests.support.training_run import lowered, worst


def diffs(
    backend: Backend, budget: int | None = None, *, text: str = "", recomputes: bool = True
) -> dict[str, np.ndarray]:
    """Of all parameters, after a pass over two images."""
    program = lowered(text or normalised(6, 6, 2))
    store = Store(program.variables, seed=1)
    options = CompileOptions(backend.target, "ieee", memory_budget=budget, recomputes=recomputes)
    net = PartitionedNet(program, backend, store, options=options)
    rng = np.random.default_rng(0)
    images = rng.standard_normal((2, 8, 6, 6)).astype(np.float32)
    net.inputs.take({"x": images, "t": np.array([0, 2], np.float32)})
    net.forward_backward()
    return {name: diff.array.copy() for name, diff in store.diff.items()}


def test_a_budget_changes_no_result(tmp_path: Path) -> None:
    gpu = InterpretingGpu(tmp_path)
    backend, expected = gpu.backend(), diffs(ReferenceBackend())
    with pytest.raises(RoasteryError, match="the memory budget is 1 bytes") as caught:
        diffs(backend, 1)
    found = re.search(r"a budget of (\d+) bytes", str(caught.value))
    assert found is not None
    launched = []
    for budget in (None, int(found[1]), int(1.15 * int(found[1]))):
        gpu.fake.launches.clear()
        assert worst(diffs(backend, budget), expected) < 1e-4
        launched.append(tuple(name for name, *_ in gpu.fake.launches))
    assert len(set(launched)) > 1
    gpu.fake.check()


@pytest.mark.parametrize("text", [bottlenecks(3, 6, 2), rectified_and_pooled(6, 2)], ids=["", "p"])
def test_what_is_computed_again_unasked_changes_no_result(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sums of a block and the one before it, and what is normalised; signs of what is rectified."""
    for name, number in (("NOTHING", 0), ("MOST_TIME", 9), ("MOST_BYTES", 9), ("LEAST_SAVED", -9)):
        monkeypatch.setattr(f"compiler.budget.{name}", number)
    gpu = InterpretingGpu(tmp_path)
    backend, expected = gpu.backend(), diffs(ReferenceBackend(), text=text)
    for recomputes in (False, True):
        assert worst(diffs(backend, text=text, recomputes=recomputes), expected) < 1e-4
    gpu.fake.check()
