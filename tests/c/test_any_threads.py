"""Nets that are measured train to the same bits, however many threads run them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.zoo import ZOO
from runtime.cpu.backend import CpuBackend
from tests.support import c_kernels
from tests.support.training_run import Training, train

BATCHES = {"lenet": 64, "cifar10_quick": 20}


def trained(name: str, threads: int) -> Training:
    target = replace(c_kernels.machine(), processors=threads)
    backend = CpuBackend(c_kernels.compiler(), target=target)
    return train(ZOO[name].text(BATCHES.get(name, 2)), backend, 2)


@c_kernels.needs_compiler
@pytest.mark.exhaustive
@pytest.mark.parametrize("name", [name for name in ZOO if name != "caffenet"])
def test_bits(name: str) -> None:
    """Parameters and diffs after two iterations."""
    alone = trained(name, 1)
    for threads in (2, 3, 5, 8):
        found = trained(name, threads)
        assert found.losses == alone.losses, threads
        for ours, theirs in ((found.data, alone.data), (found.diff, alone.diff)):
            for key, array in theirs.items():
                np.testing.assert_array_equal(ours[key], array, f"{key}, {threads} threads")
