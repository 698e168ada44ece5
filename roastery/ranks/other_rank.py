"""The snapshots of a solver that trains with others, and is not the first."""

from __future__ import annotations

from runtime.solver.solver import Snapshots, Solver


class OtherRanksSnapshots:
    """Reads snapshots, as all ranks do when a script restores them, and writes none.

    Args:
        snapshots: who reads. rank: from 1.
    """

    def __init__(self, snapshots: Snapshots | None, rank: int) -> None:
        self._snapshots = snapshots
        self._rank = rank

    def claim(self, solver: Solver) -> None:
        """The first rank writes."""

    def release(self) -> None:
        """Nothing was claimed."""

    def save(self, solver: Solver) -> str:
        """Nothing."""
        return ""

    def load(self, solver: Solver, path: str) -> None:
        """Restore the solver, which goes on with random numbers of its own."""
        if self._snapshots is None:
            raise RuntimeError("this solver reads no snapshots")
        self._snapshots.load(solver, path)
        solver.draw_as(self._rank)
