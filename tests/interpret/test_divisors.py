"""Divisions of tiles by sizes, which kernels do by a reciprocal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compiler.kernel import Config, Kernel, Parameter
from compiler.kernels.expressions import SCALAR, KernelArgument
from compiler.kernels.launch import given
from compiler.kernels.monomial import Amount, Monomial
from compiler.triton.printer.divisors import reciprocal_of
from compiler.triton.printer.helpers import source_of
from ir.size import Evaluation, Scope, symbol
from ir.types import I32, DType
from runtime.interpret.launcher import InterpretLauncher

HEAD = "import triton\nimport triton.language as tl\n"
SOURCE = f"""{HEAD}{source_of(["remainder"])}

@triton.jit
def divide(x, q, r, size, reciprocal, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    tl.store(q + at, quotient(tl.load(x + at), size, reciprocal))
    tl.store(r + at, remainder(tl.load(x + at), size, reciprocal))
"""
MOST = 2**31 - 1
POINTERS = tuple(Parameter(name, "pointer", DType.I32) for name in "xqr")
DIVIDE = Kernel("divide", SOURCE, (*POINTERS, Parameter("s", "i32"), Parameter("m", "i32")))


def of_size(size: int) -> int:
    argument = KernelArgument("s", "w", I32, SCALAR, "size", Monomial.of(Amount(1, size)))
    return given(reciprocal_of(argument))  # type: ignore[return-value]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 14, 112, 1000, 65_535, 65_536, 2**30 + 1, MOST])
def test_quotients_and_remainders_are_exact(size: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    near = [n * size + d for n in (1, 2, 3, MOST // size) for d in (-1, 0, 1)]
    x = np.array([*near, 0, 1, MOST - 1, MOST, *rng.integers(0, MOST, 1008)])
    x = np.clip(x, 0, MOST).astype(np.int32)
    quotients, remainders = np.zeros_like(x), np.zeros_like(x)
    arguments = [x, quotients, remainders, size, of_size(size)]
    config = Config((("BLOCK", x.size),))
    InterpretLauncher(tmp_path).prepare(DIVIDE, config, (1, 1, 1), arguments, [1, 2], "divide")()
    np.testing.assert_array_equal(quotients, x // size)
    np.testing.assert_array_equal(remainders, x % size)


def test_reciprocals_of_sizes_that_change() -> None:
    scope = Scope()
    general = of_size(symbol(scope, "W", 14))
    for width in (1, 2, 14, 223):
        found = Evaluation({"W": width}).size(general)
        assert found == of_size(width)
        assert -(2**31) <= found < 2**31
