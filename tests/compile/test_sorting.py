"""Kernels that sort rows on real compilers, and what they are predicted to take."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.architecture import Architecture
from compiler.kernel import Launch
from compiler.options import CompileOptions
from compiler.target import typical
from compiler.triton.compile import compile_jobs, jobs_of
from compiler.triton.compile.store import BinaryStore
from compiler.triton.cost.prediction import body_time
from compiler.triton.lower import lower_node
from ir.ops.sort import TopK
from ir.size import value_of
from tests.interpret.kernel_runner import single

SM_90 = typical(Architecture(90))


def launches_of(rows: int, length: int, k: int) -> list[Launch]:
    node = single(TopK(k, "first"), (rows, length))
    return lower_node(node, CompileOptions(target=SM_90), keep=True)


@pytest.mark.parametrize("capability", [80, 90])
def test_nothing_is_spilled(capability: int, store: BinaryStore, triton_path: Path | None) -> None:
    jobs = jobs_of(launches_of(640, 8732, 400), Architecture(capability))
    for binary in compile_jobs(jobs, store=store, triton_path=triton_path):
        assert not binary.resources.stack
        assert binary.resources.registers <= 128


def seconds(*sizes: int) -> float:
    times = (launch.body() for launch in launches_of(*sizes) if launch.body is not None)
    return sum(body_time(body, value_of, SM_90).seconds for body in times)


def test_more_that_are_asked_for_take_hardly_longer() -> None:
    assert seconds(640, 8732, 400) < 1.3 * seconds(640, 8732, 40) < 2e-4
    assert seconds(1, 22_800, 6000) < 3e-4


def test_what_is_chosen_is_what_is_predicted_to_be_faster() -> None:
    """Selections take longer the more there are."""
    few, many = seconds(640, 8732, 24), seconds(640, 8732, 25)
    assert 0.7 < few / many < 1.4
