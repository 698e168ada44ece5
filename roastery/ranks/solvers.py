"""Which of several solvers that train together this process has, as Caffe's functions tell it.

The command line says it where ranks join, pycaffe's scripts by ``caffe.set_solver_rank``; Python
layers ask. Caffe: include/caffe/common.hpp.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class SolverPlace:
    """A solver among all.

    Attributes:
        count: how many there are. rank: from 0; that of the first, the root solver.
        multiprocess: whether each has a process of its own. It is kept, and without effect: they
            always have.
    """

    count: int = 1
    rank: int = 0
    multiprocess: bool = False

    @property
    def is_first(self) -> bool:
        """Whether it writes the log and the snapshots, and tests."""
        return self.rank == 0


PLACE = SolverPlace()
"""This process's."""
