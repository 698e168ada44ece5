"""Fusion keeps the order in which the host is called."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compiler.passes.fuse import fuse
from ir import expr as e
from ir.build import Builder
from ir.graph import Value
from ir.interpret import run_graph
from ir.ops.host import HostCall
from ir.types import TensorType


def test_no_kernel_makes_a_call_wait_for_a_later_one() -> None:
    """Both maps read %x; in one kernel they would need what only the second call gives."""
    calls: list[str] = []
    b = Builder("net")
    x = b.input("x", TensorType((2, 100)))

    def call(name: str, value: Value, results: int) -> tuple[Value, ...]:
        def forward(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
            calls.append(name)
            return [arrays[0]] * results

        return b.emit_all(HostCall(name, (value.type,) * results, forward), value)

    power = b.map(e.exp(e.arg(0)), x)
    call("first", power, 0)
    (made,) = call("second", x, 1)
    b.output("power", power)
    b.output("y", b.map(e.arg(0) + e.arg(1), x, made))
    graph = b.finish()
    inputs = [np.ones((2, 100))]
    expected = run_graph(graph, inputs)
    assert calls == ["first", "second"]
    for one, other in zip(run_graph(fuse(graph), inputs), expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert calls == ["first", "second"] * 2
