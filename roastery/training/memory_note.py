"""What a training needs of its device's memory, told as soon as that is known."""

from __future__ import annotations

from compiler.plan.footprint import footprint
from compiler.plan.plan import Plan
from ir.byte_size import byte_size
from runtime.logging import CaffeLog
from runtime.net import PartitionedNet
from runtime.solver.solver import Solver


def tell_peak(solver: Solver, net: PartitionedNet, log: CaffeLog) -> None:
    """Log it before the first pass, or, where sizes depend on what layers on the host give, after
    the first update: by then all graphs of an iteration are planned."""
    told = False

    def tell(plans: list[Plan]) -> None:
        nonlocal told
        told = True
        needed = max(map(footprint, plans), key=lambda each: each.total, default=None)
        if needed is not None:
            history = solver.updater.count * needed.diffs
            log.note(
                f"memory of an iteration {byte_size(needed.total + history)}: {needed}"
                + (f", history of the solver {byte_size(history)}" if history else "")
            )

    def before() -> None:
        if not told and (plans := net.training_plans(adding=solver.adds_diffs)):
            tell(plans)

    def after() -> None:
        if not told:
            tell([plan for part in net.parts for plan in part.plans])

    solver.on_solve.append(before)
    solver.on_update.append(after)
