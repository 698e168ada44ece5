"""Kernels that match boxes and find the largest of rows, on real compilers."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.architecture import Architecture
from compiler.options import CompileOptions
from compiler.target import typical
from compiler.triton.compile import compile_jobs, jobs_of
from compiler.triton.compile.store import BinaryStore
from compiler.triton.lower import lower_node
from ir.graph import Node
from ir.ops.match import Match
from ir.ops.selection import Largest
from ir.types import I32, TensorType
from tests.interpret.kernel_runner import single

NODES = {
    "match": single(Match(32, 0.5), (1, 8732, 4), TensorType((90, 4)), TensorType((90,), I32)),
    "match each": single(
        Match(8, 0.5, inside=True), (8, 8732, 4), TensorType((20, 4)), TensorType((20,), I32)
    ),
    "largest": single(Largest(), (32, 8732), TensorType((32,), I32)),
}


@pytest.mark.parametrize("node", NODES.values(), ids=NODES)
@pytest.mark.parametrize("capability", [80, 90])
def test_nothing_is_spilled(
    node: Node, capability: int, store: BinaryStore, triton_path: Path | None
) -> None:
    target = typical(Architecture(capability))
    launches = lower_node(node, CompileOptions(target=target), keep=True)
    for binary in compile_jobs(
        jobs_of(launches, Architecture(capability)), store=store, triton_path=triton_path
    ):
        assert not binary.resources.stack
        assert binary.resources.registers <= 128
