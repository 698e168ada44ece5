"""Every kernel of every recorded layer, forward and backward, with floats of 16 bits."""

from __future__ import annotations

import pytest

from compiler.options import CompileOptions
from compiler.precision import BFLOAT16, FLOAT16, kernel_tolerance
from roastery.bench.groups import groups_of
from roastery.bench.measure import measured
from runtime.interpret.backend import InterpretBackend
from tests.support.layer_cases import LayerCase, all_cases
from tests.support.layer_run import LayerRun

BACKEND = InterpretBackend()


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_kernels(case: LayerCase) -> None:
    program = LayerRun(case).program
    for precision in (BFLOAT16, FLOAT16):
        options = CompileOptions(BACKEND.target, precision)
        groups = groups_of(program, options, backward=program.trains)
        for row in measured(groups, BACKEND, options, None, 0):
            assert row.error <= kernel_tolerance(precision), row
