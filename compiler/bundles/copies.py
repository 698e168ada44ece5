"""Copies of diffs, as early in a plan as they may be."""

from __future__ import annotations

from dataclasses import replace

from compiler.plan.plan import Copy, HostStep, Plan, Step
from ir.ports import Role


def with_early_copies(plan: Plan) -> Plan:
    """The plan with copies into diffs of variables, which it leaves to the end, each behind what
    writes its source and what uses its target: so that a diff that is another's, too, is complete
    when that is.

    None passes a host step, which sees what is outside of the plan.
    """
    diffs = {port.buffer for port in plan.outputs if port.role is Role.GRADIENT}
    steps: list[Step] = []
    for step in plan.steps:
        place = len(steps)
        if isinstance(step, Copy) and step.target in diffs:
            while place and not _stays_behind(step, steps[place - 1]):
                place -= 1
        steps.insert(place, step)
    return replace(plan, steps=tuple(steps))


def _stays_behind(copy: Copy, step: Step) -> bool:
    return isinstance(step, HostStep) or copy.source in step.writes or copy.target in step.uses
