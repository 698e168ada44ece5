"""Nets whose BatchNorm asks other ranks, on every executor: the same results, each asked once."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from compiler.options import CompileOptions
from ir.errors import RoasteryError
from runtime.backends.backend import Backend
from runtime.backends.reference import ReferenceBackend
from runtime.interpret.backend import InterpretBackend
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from tests.support import c_kernels
from tests.support.interpreting_gpu import InterpretingGpu
from tests.support.rank_means import Others
from tests.support.sample_nets import bottlenecks, normalised
from tests.support.training_run import lowered, train, worst

LAYERS, BATCH = 4, 2
TEXT = normalised(LAYERS, 6, BATCH)
TRAINED = normalised(2, 6, BATCH).replace("num_output: 3 ", "num_output: 10 ")
EACH = 3
"""Messages of a layer in a pass: two forward, one backward."""


def passed(backend: Backend, text: str = TEXT, **options: object) -> dict[str, np.ndarray]:
    """Diffs and statistics after a pass. Every layer has asked the other ranks as often."""
    ranks = Others()
    program = lowered(text, ranks)
    store = Store(program.variables, seed=1)
    asked = CompileOptions(backend.target, "ieee", **options)  # type: ignore[arg-type]
    net = PartitionedNet(program, backend, store, options=asked)
    rng = np.random.default_rng(0)
    images = rng.standard_normal((BATCH, 8, 6, 6)).astype(np.float32)
    net.inputs.take({"x": images, "t": np.array([0, 2], np.float32)})
    net.forward_backward()
    assert len(ranks.asked) == EACH * text.count('"BatchNorm"')
    kept = {name: data for name, data in store.data.items() if not store.variables[name].learns}
    return {
        **{name: diff.array.copy() for name, diff in store.diff.items()},
        **{f"{name} (data)": data.array.copy() for name, data in kept.items()},
    }


def test_within_a_memory_budget(tmp_path: Path) -> None:
    """What is computed again for backward never asks again."""
    gpu = InterpretingGpu(tmp_path)
    backend, expected = gpu.backend(), passed(ReferenceBackend())
    with pytest.raises(RoasteryError, match="the memory budget is 1 bytes") as caught:
        passed(backend, memory_budget=1)
    found = re.search(r"a budget of (\d+) bytes", str(caught.value))
    assert found is not None
    launched = []
    for budget in (None, int(found[1])):
        gpu.fake.launches.clear()
        assert worst(passed(backend, memory_budget=budget), expected) < 1e-4
        launched.append(tuple(name for name, *_ in gpu.fake.launches))
    assert len(set(launched)) == 2
    gpu.fake.check()


@pytest.mark.parametrize("recomputes", [False, True])
def test_what_is_computed_again_unasked(
    recomputes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, number in (("NOTHING", 0), ("MOST_TIME", 9), ("MOST_BYTES", 9), ("LEAST_SAVED", -9)):
        monkeypatch.setattr(f"compiler.budget.{name}", number)
    text = bottlenecks(2, 6, BATCH)
    gpu = InterpretingGpu(tmp_path)
    expected = passed(ReferenceBackend(), text)
    assert worst(passed(gpu.backend(), text, recomputes=recomputes), expected) < 1e-4
    gpu.fake.check()


def name_of(backend: Backend) -> str:
    return backend.name


@pytest.mark.parametrize("layerwise", [False, True], ids=["fused", "layerwise"])
@pytest.mark.parametrize("backend", [InterpretBackend(), *c_kernels.backends()], ids=name_of)
def test_training(backend: Backend, layerwise: bool) -> None:
    found = []
    for device in (backend, ReferenceBackend()):
        ranks = Others()
        settings = {"iter_size": 2, "layerwise": layerwise, "statistics": ranks}
        found.append(train(TRAINED, device, 2, **settings).data)  # type: ignore[arg-type]
        assert len(ranks.asked) == EACH * 2 * 2 * 2
    assert worst(*found) < 1e-4


def test_in_float16() -> None:
    """The loss is scaled: ranks see gradients as they are."""
    said = []
    for backend, precision in ((InterpretBackend(), "float16"), (ReferenceBackend(), "float32")):
        ranks = Others()
        train(TRAINED, backend, 1, precision=precision, statistics=ranks)
        said.append(ranks.asked)
    for found, expected in zip(*said, strict=True):
        assert np.abs(found - expected).max() < 0.2 * np.abs(expected).max()
