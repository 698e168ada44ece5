"""Two trainings with one snapshot_prefix."""

from __future__ import annotations

import time

from .material import Material
from .processes import PATIENCE, litter, run, start
from .rows import Plan, Row


def two_at_once(material: Material, plan: Plan) -> Row:
    """One trains, the other is told who does."""
    row = Row("two trainings of one prefix, started at once")
    place = material.place("two")
    solver = material.solver(place, max_iter=20 if plan.short else 150, snapshot=10)
    while plan.goes_on(least=10, most=200):
        row.tries += 1
        pair = [start(place, "train", solver) for _ in range(2)]
        ends = [(p.communicate(timeout=PATIENCE)[1], p.returncode) for p in pair]
        told = [code for error, code in ends if "another training writes snapshots" in error]
        # On a busy machine one may be over before the other begins.
        row.expect(
            sorted(code for _, code in ends) in ([0, 0], [0, 1]) and all(c == 1 for c in told),
            f"exit codes {[code for _, code in ends]}: {[error[-300:] for error, _ in ends]}",
        )
        overlap = sum("Optimization Done" in error for error, _ in ends) == 2
        row.expect(not (overlap and told), "both trained, and one was told")
        row.expect(not litter(place), f"left over: {litter(place)}")
    return row.end()


def after_a_kill(material: Material, plan: Plan) -> Row:
    """The lock of a killed training is taken over."""
    row = Row("the prefix of a killed training")
    place = material.place("taken")
    while plan.goes_on(least=10, most=100):
        row.tries += 1
        solver = material.solver(place, max_iter=1_000_000, snapshot=10)
        with start(place, "train", solver) as process:
            assert process.stderr is not None
            for line in process.stderr:
                if "iter/s" in line:
                    break
            time.sleep(plan.draw.uniform(0.0, 0.1))
            process.kill()
        done = run(place, "train", material.solver(place, max_iter=2, snapshot=0))
        row.expect(
            done.returncode == 0 and "took over '.small.lock'" in done.stderr,
            f"exit code {done.returncode}: {done.stderr[-500:]}",
        )
        row.expect(not litter(place), f"left over: {litter(place)}")
    return row.end()
