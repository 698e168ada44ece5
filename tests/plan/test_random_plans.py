"""Memory plans of random graphs over every op."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given

from compiler.options import CompileOptions
from compiler.pipeline import run_passes
from compiler.plan.arena import aligned
from compiler.plan.check import check_plan
from compiler.plan.codec import from_json, to_json
from compiler.plan.memory import least_memory, lifetimes
from compiler.plan.plan import Plan
from ir.interpret import run_graph
from tests.support.graphs import Drawn, examples, graphs, trained
from tests.support.planned_run import planned, run_planned


@examples(60)
@given(graphs())
def test_a_plan_keeps_the_meaning(drawn: Drawn) -> None:
    """What lies in the same place is not needed at the same time, and every copy is made."""
    for whole in (drawn, trained(drawn)):
        fused = run_passes(whole.graph, CompileOptions())
        plan = planned(fused)
        inputs = whole.arrays(double=False)
        for a, b in zip(run_graph(fused, inputs), run_planned(fused, plan, inputs), strict=True):
            np.testing.assert_array_equal(a, b)
        alone = sum(aligned(interval.size) for interval in lifetimes(plan))
        assert least_memory(plan) <= plan.memory.nbytes <= alone
        check_plan(plan)
        assert from_json(Plan, json.loads(json.dumps(to_json(plan))), "plan") == plan
