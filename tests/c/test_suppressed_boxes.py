"""Non-maximum suppression on CPUs: every decision is that of single precision."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest

from compiler.c.compile.flags import compiler_flags
from compiler.c.lanes import lanes_of
from compiler.c.lower import lower_to_c
from compiler.c.support import prelude
from compiler.options import CompileOptions
from ir.ops.suppression import NonMaximum
from ir.types import I32, TensorType
from tests.interpret.kernel_runner import run_launches, single
from tests.support import c_kernels
from tests.support.c_kernels import needs_compiler
from tests.support.overlapping_boxes import KINDS, OPS

SHAPES = ((1, 1), (3, 20), (2, 150), (70, 33), (1, 500))
"""One with more rows than programs."""


@needs_compiler
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("op", OPS, ids=str)
def test_as_the_reference_on_any_number_of_threads(op: NonMaximum) -> None:
    rng = np.random.default_rng(5)
    for rows, length in SHAPES:
        node = single(op, (rows, length, 4), TensorType((rows,), I32))
        launches = lower_to_c(node, CompileOptions(target=c_kernels.machine()))
        kernels = [launch.kernel for launch in launches]
        for threads in (1, 3):
            launcher = c_kernels.launcher_of(kernels, threads)
            for kind in KINDS:
                boxes = kind(rng, rows, length)
                counts = rng.integers(-1, length + 3, rows).astype(np.int32)
                found = run_launches(launches, node, [boxes, counts], by=launcher)
                for have, want in zip(found, op.reference([boxes, counts], []), strict=True):
                    np.testing.assert_array_equal(have, want, f"{kind.__name__} {boxes.shape}")


@needs_compiler
def test_products_are_rounded_before_they_are_added_to(tmp_path: Path) -> None:
    """Where compilers may do both at once: the rest that is rounded off is there, or not."""
    target, factor = c_kernels.machine(), 1 + 2.0**-12
    own = "rounded_real(a * a) + b", "rounded_f(all_f(a) * all_f(a)) + all_f(b)"
    source = prelude(lanes_of(target))
    source += f"float alone(float a, float b) {{ return {own[0]}; }}\n"
    source += f"float together(float a, float b) {{ return ({own[1]})[LANES - 1]; }}\n"
    (tmp_path / "rounded.c").write_text(source)
    flags = compiler_flags(c_kernels.compiler(), target.instructions)
    command = [*c_kernels.compiler().command, *flags, "rounded.c", "-o", "rounded.so", "-lm"]
    subprocess.run(command, cwd=tmp_path, check=True)
    library = ctypes.CDLL(str(tmp_path / "rounded.so"))
    for name in ("alone", "together"):
        function = getattr(library, name)
        function.argtypes, function.restype = [ctypes.c_float] * 2, ctypes.c_float
        assert function(factor, -(1 + 2.0**-11)) == 0.0


def test_all_products_of_the_kernel_are() -> None:
    node = single(NonMaximum(0.3), (2, 30, 4), TensorType((2,), I32))
    (launch,) = lower_to_c(node, CompileOptions(target=c_kernels.machine()))
    text = launch.kernel.source
    assert text.count("rounded_real(") == text.count("rounded_f(") == 1
