"""Plans as JSON: what is written is read again, with the forms of sizes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from compiler.kernel import Config, Kernel, Parameter
from compiler.plan.check import check_plan
from compiler.plan.memory import place_buffers
from compiler.plan.plan import Copy, Plan, PlanBuffer, PlanLaunch, PlanPort, Ref
from compiler.plan.saved import plan_from_json, plan_to_json
from compiler.plan.saved_sizes import saved_plan_at
from compiler.plan.sizes import plan_at
from ir.graph import Role
from ir.size import Evaluation, Scope, size_text, symbol
from ir.types import F32, TensorType


def plan_of(n: int) -> Plan:
    """y = exp(exp(x)), by way of the arena, of n rows."""
    type = TensorType((n, 3))
    kernel = Kernel("k", "text", (Parameter("x", "pointer", F32), Parameter("count", "i32")))
    buffers = tuple(PlanBuffer(name, type) for name in ("x", "y", "between"))
    config = Config((("BLOCK", 16),))
    grid = ((3 * n + 15) // 16, 1, 1)
    launch = PlanLaunch(0, config, (Ref(0), 3 * n), grid, (2,), "exp", "net.prototxt:1")
    steps = (launch, Copy(2, 1, type.nbytes))
    inputs, outputs = PlanPort(Role.DATA, "x", 0), PlanPort(Role.RESULT, "y", 1)
    return Plan("net", (kernel,), buffers, (inputs,), (outputs,), steps)


def saved(plan: Plan) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(plan_to_json(plan)))
    return data


def test_numbers() -> None:
    plan = place_buffers(plan_of(7))
    assert saved(plan)["sizes"] == {}
    assert plan_from_json(saved(plan)) == plan
    check_plan(plan)


def test_sizes() -> None:
    scope = Scope()
    n = symbol(scope, "N", 7)
    scope.close()
    data = saved(plan_of(n))
    assert data["sizes"] == {"N": 7}
    assert data["buffers"][0]["type"] == "f32[N,3]"
    read = plan_from_json(data)
    assert saved(read) == data
    (launch,) = read.launches
    assert size_text(launch.grid[0]) == "(3 * N + 15) // 16"
    for batch in (1, 5, 64):
        at = Evaluation({"N": batch})
        assert tuple(map(at.size, launch.grid)) == plan_of(batch).launches[0].grid


@pytest.mark.parametrize("size", [0, -3, 2.5])
@pytest.mark.parametrize("at", [plan_at, saved_plan_at])
def test_a_size_is_a_whole_number_from_1(at: Callable[..., Plan], size: int) -> None:
    plan = plan_of(symbol(Scope(), "N", 7))
    check_plan(at(plan, {"N": np.int64(5)}))
    with pytest.raises(ValueError, match=f"the size N is {size}; sizes are whole numbers from 1"):
        at(plan, {"N": size})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(sizes={"N": 0}), "at least 1"),
        (lambda d: d.update(sizes={f"N{i}": 2 for i in range(100)}), "at least 1 and few"),
        (lambda d: d.update(sizes={"N": "N"}), "sizes 'N' must be int"),
        (lambda d: d.pop("sizes"), "sizes must be"),
        (lambda d: d.update(sizes={}), "is no type of a tensor"),
        (lambda d: d["steps"][0].update(grid=["N * M", 1, 1]), "no size is called 'M'"),
        (lambda d: d["steps"][0].update(grid=["N / 2", 1, 1]), "is no integer"),
        (lambda d: d["steps"][0].update(grid=["N // 0", 1, 1]), "divides by 0"),
        (lambda d: d["steps"][0].update(grid=["N * 9999999999 * 9999999999", 1, 1]), "too large"),
        (lambda d: d["steps"][0].update(grid=["N" + " * N" * 40, 1, 1]), "more than 16 sizes"),
        (lambda d: d["steps"][0].update(grid=["(" * 999, 1, 1]), "too deep"),
    ],
)
def test_what_is_refused(change: Any, message: str) -> None:
    scope = Scope()
    data = saved(plan_of(symbol(scope, "N", 7)))
    change(data)
    with pytest.raises(ValueError, match=message):
        plan_from_json(data)
