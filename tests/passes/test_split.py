"""Forward and backward apart: what goes from one to the other."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.passes.autodiff import split
from ir.graph import Graph, Role
from ir.interpret import run_graph
from ir.text import parse_graph
from tests.support.split_run import run_apart


def check(text: str) -> tuple[Graph, Graph]:
    whole = parse_graph(text)
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(p.value.shape) for p in whole.inputs]
    for one, other in zip(run_apart(whole, arrays), run_graph(whole, arrays), strict=True):
        np.testing.assert_array_equal(one, other)
    return split(whole)


def saved(graph: Graph) -> list[str]:
    return [p.name for p in graph.outputs if p.role is Role.SAVED]


def test_a_variable_that_forward_overwrites_is_saved_as_it_was() -> None:
    ahead, behind = check("""graph net {
      input %x: f32[3] data
      input %s: f32[3] state
      input %g: f32[3] seed "y"
      %y: f32[3] = map(%x, %s) {mul(a0, a1)}
      %t: f32[3] = map(%x, %s) {add(a0, a1)}
      output %y: f32[3] result
      output %t: f32[3] state "s"
    backward:
      %d: f32[3] = map(%g, %s) {mul(a0, a1)}
      output %d: f32[3] result "diff:x"
    }""")
    assert saved(ahead) == ["saved:s"]
    assert [(p.name, p.role) for p in behind.inputs] == [("saved:s", Role.SAVED), ("y", Role.SEED)]


def test_one_that_it_only_reads_is_not() -> None:
    ahead, _ = check("""graph net {
      input %x: f32[3] data
      input %w: f32[3] parameter
      input %g: f32[3] seed "y"
      %e: f32[3] = map(%x) {exp(a0)}
      %y: f32[3] = map(%e, %w) {mul(a0, a1)}
      output %y: f32[3] result
    backward:
      %d: f32[3] = map(%g, %w, %e) {mul(mul(a0, a1), a2)}
      output %d: f32[3] result "diff:x"
    }""")
    assert saved(ahead) == ["saved:e"]


@pytest.mark.parametrize("passed", ["%g", "%y", "%x"])
def test_a_diff_that_nothing_computes(passed: str) -> None:
    """It is a diff that is given, or a value of forward."""
    _, behind = check(
        """graph net {
      input %x: f32[3] data
      input %g: f32[3] seed "y"
      input %h: f32[3] gradient "w"
      %e: f32[3] = map(%x) {exp(a0)}
      %y: f32[3] = map(%e) {mul(a0, 2.0)}
      output %y: f32[3] result
    backward:
      output PASSED: f32[3] result "diff:x"
      output %h: f32[3] gradient "w"
    }""".replace("PASSED", passed)
    )
    assert "w" in [p.name for p in behind.outputs]
