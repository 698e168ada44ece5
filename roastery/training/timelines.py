"""A file that shows what all ranks did in the first iterations: see :mod:`.timeline` of
`runtime.distributed`."""

from __future__ import annotations

from pathlib import Path

from runtime.distributed.timeline import Timeline, write_timeline
from runtime.solver.solver import Solver

from ..files.atomic_file import atomic_write
from ..files.missing import no_folder


class TimelineFile:
    """Notes the first iterations of a solver, and writes them: rank 0 does, of all ranks.

    Args:
        path: of the file. iterations: how many, if training does not end before.

    Raises:
        RoasteryError: the file's folder is not there.
    """

    def __init__(self, path: str, rank: int, iterations: int) -> None:
        if not (folder := Path(path).parent).is_dir():
            raise no_folder(path, folder)
        self._path = path
        self._written = False
        self.timeline = Timeline(rank, iterations)

    def follow(self, solver: Solver) -> None:
        """Write the file as soon as the iterations are over. The solver has the timeline."""

        def look() -> None:
            if not self._written and not self.timeline.notes:
                self.write(solver)

        solver.on_update.append(look)

    def write(self, solver: Solver) -> None:
        """Write what was noted so far, if that has not been done. All ranks call it."""
        if self._written:
            return
        self._written = True
        noted = solver.ranks.gathered(self.timeline.events)
        if solver.ranks.rank == 0:
            with atomic_write(self._path, "w") as file:
                write_timeline(file, [event for events in noted for event in events])
