"""Layers and training on the CUDA executor, with the reference in place of its kernels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from runtime.backends.backend import Backend
from runtime.backends.reference import ReferenceBackend
from tests.support.executor_run import Results, differences, fused, layerwise, rounded, seeds_of
from tests.support.fake_gpu import FakeGpu
from tests.support.layer_cases import LayerCase, all_cases
from tests.support.layer_run import LayerRun
from tests.support.sample_nets import inception, lenet
from tests.support.training_run import train, worst

Plan = Callable[[LayerRun, Backend], Results]
ONE_PER_TYPE = {case.layer_type: case for case in reversed(all_cases())}.values()


@pytest.mark.parametrize(
    ("plan", "case"),
    [(fused, case) for case in all_cases()] + [(layerwise, case) for case in ONE_PER_TYPE],
    ids=lambda part: getattr(part, "__name__", str(part)),
)
def test_layers(plan: Plan, case: LayerCase) -> None:
    gpu = FakeGpu()
    run = rounded(LayerRun(case))
    outputs, diffs = plan(run, gpu.backend())
    expected: Results = plan(run, ReferenceBackend())
    errors = differences(outputs, expected[0]) | differences(diffs, expected[1])
    assert {name: e for name, e in errors.items() if not e <= 1e-5} == {}
    assert seeds_of(run).keys() <= outputs.keys()
    gpu.fake.check()


@pytest.mark.parametrize("plan", ["fused", "layerwise"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"type": "Adam", "iter_size": 2},
        {"clip_gradients": 0.05, "display": 2, "iter_size": 2},
        {"type": "AdaDelta", "delta": 1e-6, "clip_gradients": 100.0},
    ],
    ids=["sgd", "adam", "clipped", "not_clipped"],
)
def test_training(plan: str, settings: dict) -> None:
    gpu = FakeGpu(1 << 25)
    text = lenet(2, 20)
    ours = train(text, gpu.backend(), 5, layerwise=plan == "layerwise", **settings)
    theirs = train(text, ReferenceBackend(), 5, layerwise=plan == "layerwise", **settings)
    gpu.fake.check()
    assert len(ours.losses) == 5
    np.testing.assert_allclose(ours.losses, theirs.losses, rtol=1e-5)
    assert worst(ours.data, theirs.data) < 1e-5
    assert worst(ours.diff, theirs.diff) < 1e-3
    clippings = [run.log.count("Gradient clipping") for run in (ours, theirs)]
    assert clippings == [5 if settings.get("clip_gradients", 100.0) < 1.0 else 0] * 2


def test_a_training_iteration_does_not_wait_for_the_gpu() -> None:
    gpu = FakeGpu(1 << 25)
    train(lenet(2, 20), gpu.backend(), 6, clip_gradients=0.05)
    calls = gpu.fake.calls
    starts = [i for i, name in enumerate(calls) if name == "cuStreamWaitEvent"]
    steps = calls[starts[8] : starts[-2]]
    assert "cuGraphLaunch" in steps
    waits = {"cuStreamSynchronize", "cuMemAlloc_v2", "cuMemHostAlloc", "cuModuleLoadDataEx"}
    assert not waits & set(steps)
    # Losses and norms come back without holding up the host; pictures and labels go there.
    assert steps.count("cuMemcpyHtoDAsync_v2") <= 2 * (steps.count("cuGraphLaunch") + 1)


def test_dropout_masks_are_equal() -> None:
    gpu = FakeGpu(1 << 25)
    text = inception(2, 8)
    ours = train(text, gpu.backend(), 3)
    theirs = train(text, ReferenceBackend(), 3)
    np.testing.assert_allclose(ours.losses, theirs.losses, rtol=1e-4)
    gpu.fake.check()


def test_kernels_begin_while_others_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where that is asked for, and the device and its driver know it."""
    expected = train(lenet(2, 20), ReferenceBackend(), 4)

    def launched_early(gpu: FakeGpu, early: bool | None) -> bool:
        found = train(lenet(2, 20), gpu.backend(early), 4)
        np.testing.assert_allclose(found.losses, expected.losses, rtol=1e-5)
        gpu.fake.check()
        assert "cuGraphLaunch" in gpu.fake.calls
        plain = gpu.fake.calls.count("cuLaunchKernel")
        assert (plain == 0) == bool(gpu.fake.early), "all or none"
        return plain == 0

    assert not launched_early(FakeGpu(1 << 25), None)
    assert launched_early(FakeGpu(1 << 25), True)
    old, older_driver = FakeGpu(1 << 25, capability=80), FakeGpu(1 << 25)
    older_driver.fake.version = 12020
    assert not launched_early(old, True) and not launched_early(older_driver, True)
    for value, wanted in (("1", True), ("0", False), ("", False)):
        monkeypatch.setenv("ROASTERY_EARLY_START", value)
        assert launched_early(FakeGpu(1 << 25), None) is wanted
