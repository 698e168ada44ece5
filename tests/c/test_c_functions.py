"""Functions of vectors in C: against numpy in float64, of any bits and of special numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from compiler.c.lower import lower_to_c
from compiler.kernels import task
from compiler.options import CompileOptions
from ir import expr as e
from runtime.machine.processor import cpu_target
from tests.interpret.kernel_runner import fused, run_launches
from tests.support.c_kernels import launcher_of, needs_compiler

pytestmark = needs_compiler
TARGET = cpu_target()

SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 1e-39, 1.17549435e-38]
SPECIAL += [3.4e38, -3.4e38, 88.7, 88.8, 89.5, -87.0, -88.0, -100.0, -103.9, -104.5, 5e-8, -5e-8]
SPECIAL += [2e-7, 0.5, -0.5, 2.0, 3.0, -3.0, 16777216.0, 8388607.5, -8388607.5, 1e10]
FUNCTIONS: dict[str, Callable[..., np.ndarray]] = {
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "tanh": np.tanh,
    "sqrt": np.sqrt,
    "floor": np.floor,
}


def numbers() -> np.ndarray:
    """Special ones, any bits, and moderate ones."""
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**32, 20000, dtype=np.uint32).view(np.float32)
    moderate = rng.standard_normal(20000) * np.exp(rng.uniform(-12, 4.5, 20000))
    return np.concatenate([np.float32(SPECIAL), bits, moderate.astype(np.float32)])


def computed(name: str, *arrays: np.ndarray) -> np.ndarray:
    expr = e.primitive(name, *map(e.arg, range(len(arrays))))
    node = fused(lambda b, *values: b.map(expr, *values), *(a.shape for a in arrays))
    launches = lower_to_c(node, CompileOptions(target=TARGET))
    launcher = launcher_of(launch.kernel for launch in launches)
    (result,) = run_launches(launches, node, arrays, by=launcher)
    return result


def units(got: np.ndarray, want: np.ndarray) -> float:
    """The largest error, in units of the last place; what is not finite has to be equal."""
    with np.errstate(all="ignore"):
        near = want.astype(np.float32)
    finite = np.isfinite(near) & np.isfinite(got)
    np.testing.assert_array_equal(got[~finite], near[~finite])
    place = np.maximum(np.spacing(np.abs(near[finite])).astype(np.float64), 2.0**-149)
    return float((np.abs(got[finite] - want[finite]) / place).max())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_error(name: str) -> None:
    x = numbers()
    with np.errstate(all="ignore"):
        assert units(computed(name, x), FUNCTIONS[name](x.astype(np.float64))) <= 2.5


def test_sigmoid() -> None:
    x = numbers()
    with np.errstate(all="ignore"):
        want = 1 / (1 + np.exp(-x.astype(np.float64)))
    got = computed("sigmoid", x)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    np.testing.assert_allclose(got, want, rtol=3e-7, atol=1.2e-38)


def test_powers_of_local_responses() -> None:
    x = np.exp(np.random.default_rng(1).uniform(0, 12, 30000)).astype(np.float32)
    with np.errstate(all="ignore"):
        got = computed("pow", x, np.full_like(x, -0.75))
    assert units(got, x.astype(np.float64) ** -0.75) <= 2.0


def quarter_powers(quarters: int, x: np.ndarray) -> np.ndarray:
    node = fused(lambda b, v: b.map(e.power(e.arg(0), e.const(quarters / 4)), v), x.shape)
    launches = lower_to_c(node, CompileOptions(target=TARGET))
    assert ("quarter_power" in launches[0].kernel.source) is (quarters not in (-8, -4))
    launcher = launcher_of(launch.kernel for launch in launches)
    (result,) = run_launches(launches, node, (x,), by=launcher)
    return result


@pytest.mark.parametrize("quarters", range(-8, 0))
def test_powers_that_are_quarters(quarters: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = numbers()
    with np.errstate(all="ignore"):
        want = np.power(x.astype(np.float64), quarters / 4)
        got = quarter_powers(quarters, x)
    assert units(got, want) <= 2.5
    monkeypatch.setattr(task, "WIDE", 0)
    np.testing.assert_array_equal(quarter_powers(quarters, x), got)


def test_powers_of_special_numbers() -> None:
    exponents = [*SPECIAL, -0.75, 1 / 3, 101.0]
    a, b = (v.ravel().astype(np.float32) for v in np.meshgrid(SPECIAL, exponents))
    with np.errstate(all="ignore"):
        want = np.power(a.astype(np.float64), b.astype(np.float64))
    assert units(computed("pow", a, b), want) <= 2.5


@pytest.mark.parametrize("name", [*FUNCTIONS, "sigmoid", "pow"])
def test_scalars_have_the_bits_of_lanes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels with indices of 64 bits compute on scalars."""
    x = numbers()
    arrays = (x, x[::-1].copy()) if name == "pow" else (x,)
    lanes = computed(name, *arrays)
    monkeypatch.setattr(task, "WIDE", 0)
    scalars = computed(name, *arrays)
    numeric = ~np.isnan(lanes)
    np.testing.assert_array_equal(np.isnan(scalars), ~numeric)
    np.testing.assert_array_equal(scalars.view(np.int32)[numeric], lanes.view(np.int32)[numeric])
