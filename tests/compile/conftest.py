"""Small kernels by hand, and the Tritons to compile them with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from compiler.kernel import Kernel, Parameter
from compiler.triton.compile.store import BinaryStore
from ir.types import DType

AXPY = """
import triton
import triton.language as tl


@triton.jit
def axpy(x, y, positive, count, first, a, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < count
    value = tl.load(x + at, mask=inside) * a + tl.load(y + at, mask=inside)
    tl.store(y + at, value, mask=inside)
    tl.store(positive + first + at, value > 0, mask=inside)
"""


def make_kernel(source: str = AXPY) -> Kernel:
    """y += a * x, and where the sum is positive: every kind of parameter there is."""
    return Kernel(
        entry="axpy",
        source=source,
        parameters=(
            Parameter("x", "pointer", DType.F32, divisible=True),
            Parameter("y", "pointer", DType.F32, divisible=True),
            Parameter("positive", "pointer", DType.BOOL, divisible=True),
            Parameter("count", "i32", divisible=True),
            Parameter("first", "i64"),
            Parameter("a", "f32"),
        ),
    )


@pytest.fixture
def axpy() -> Kernel:
    return make_kernel()


@pytest.fixture
def store(tmp_path: Path) -> BinaryStore:
    return BinaryStore(tmp_path / "binaries")


@pytest.fixture(params=["newest", "floor"])
def triton_path(request: pytest.FixtureRequest) -> Path | None:
    """The installed Triton, and the oldest supported one from its own folder; or a release."""
    if request.param == "newest":
        return None
    path = Path(os.environ.get("ROASTERY_TRITON_FLOOR") or ".venv-floor")
    if request.param != "floor":
        path = Path(os.environ.get("ROASTERY_TRITONS") or ".venv-tritons") / request.param
    if not (path / "triton").is_dir():
        pytest.skip(f"Triton ({request.param}) is not in {path} (`make setup` puts it there)")
    return path
