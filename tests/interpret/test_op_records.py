"""Every op that has kernels: what they compute of its records is what its reference does."""

from __future__ import annotations

import numpy as np
import pytest

from tests.interpret.kernel_runner import check, scheduled, single
from tests.support.layouts import laid_out
from tests.support.op_cases import OpCase, all_cases, kernel_cases, narrow_cases


def check_kernels(case: OpCase) -> None:
    rng = np.random.default_rng(4)
    arrays = [x.held(rng) for x in case.inputs]
    launches = check(single(case.op, *(x.type for x in case.inputs)), arrays)
    assert launches or not any(t.size for t in case.op.infer([x.type for x in case.inputs]))


@pytest.mark.parametrize("case", kernel_cases(), ids=str)
def test_kernels(case: OpCase) -> None:
    check_kernels(case)


@pytest.mark.parametrize("case", narrow_cases(), ids=str)
def test_kernels_of_16_bits(case: OpCase) -> None:
    check_kernels(case)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("case", [c for c in all_cases() if c.op.any_layout], ids=str)
def test_kernels_in_any_layout(case: OpCase, seed: int) -> None:
    rng = np.random.default_rng(4)
    arrays = [x.array(rng).astype(x.dtype.numpy) for x in case.inputs]
    node = single(case.op, *(x.type for x in case.inputs))
    for choice in scheduled(laid_out(node, seed)).choices[:2]:
        check(laid_out(node, seed), arrays, choice=choice)
