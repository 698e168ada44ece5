"""Non-maximum suppression in machine code: every product is rounded before it is added to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from compiler.architecture import Architecture
from compiler.options import CompileOptions
from compiler.target import typical
from compiler.triton.compile import compile_jobs, jobs_of
from compiler.triton.compile.store import BinaryStore
from compiler.triton.lower import lower_node
from ir.ops.suppression import NonMaximum
from ir.types import I32, TensorType
from tests.interpret.kernel_runner import single


@pytest.mark.parametrize("capability", [80, 90])
@pytest.mark.parametrize(("eta", "kernels"), [(1.0, 2), (0.9, 1)])
def test_no_product_is_contracted(
    eta: float, kernels: int, capability: int, store: BinaryStore, triton_path: Path | None
) -> None:
    architecture = Architecture(capability)
    node = single(NonMaximum(0.7, eta=eta, pixel=1), (20, 400, 4), TensorType((20,), I32))
    launches = lower_node(node, CompileOptions(target=typical(architecture)))
    assert len(launches) == kernels
    jobs = jobs_of(launches, architecture)
    first, *_ = compiled = compile_jobs(jobs, store=store, triton_path=triton_path)
    for binary in compiled:
        assert not re.findall(r"(?:fma|mad|mul)\.f32", binary.ptx)  # which assemblers may contract
        assert not re.findall(r"fma\.\S*f32", binary.ptx)
        assert not binary.resources.stack
    assert "mul.rn.f32" in first.ptx
    assert "div.rn.f32" in first.ptx
