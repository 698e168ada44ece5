"""Memory plans of random graphs over every op."""

from __future__ import annotations

import numpy as np
from hypothesis import given

from compiler.options import CompileOptions
from compiler.pipeline import run_passes
from compiler.plan.memory import InArena, plan_memory
from ir.interpret import run_graph
from tests.support.graphs import Drawn, examples, graphs, trained
from tests.support.planned_run import run_planned


@examples(60)
@given(graphs())
def test_a_plan_keeps_the_meaning(drawn: Drawn) -> None:
    """What lies in the same place is not needed at the same time, and every copy is made."""
    for whole in (drawn, trained(drawn)):
        fused = run_passes(whole.graph, CompileOptions())
        plan = plan_memory(fused)
        inputs = whole.arrays(double=False)
        for a, b in zip(run_graph(fused, inputs), run_planned(fused, plan, inputs), strict=True):
            np.testing.assert_array_equal(a, b)
        assert plan.bound <= plan.peak <= plan.total
        assert set(plan.places) == set(fused.values())
        ends = [p.offset + p.nbytes for p in plan.places.values() if isinstance(p, InArena)]
        assert max(ends, default=0) <= plan.peak
