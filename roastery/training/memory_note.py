"""What a training needs of its device's memory, told when that is known."""

from __future__ import annotations

from compiler.plan.footprint import footprint
from ir.byte_size import byte_size
from runtime.logging import CaffeLog
from runtime.net import PartitionedNet
from runtime.solver.solver import Solver


def tell_peak(solver: Solver, net: PartitionedNet, log: CaffeLog) -> None:
    """Log it after the first update: by then all graphs of an iteration are planned."""

    told = False

    def tell() -> None:
        nonlocal told
        if told:
            return
        told = True
        found = [footprint(plan) for part in net.parts for plan in part.plans]
        needed = max(found, key=lambda each: each.total, default=None)
        if needed is not None:
            history = solver.updater.count * needed.diffs
            log.note(
                f"memory of an iteration {byte_size(needed.total + history)}: {needed}"
                + (f", history of the solver {byte_size(history)}" if history else "")
            )

    solver.on_update.append(tell)
