"""How many threads numpy's matrix products use in a command: one, unless the user says more.

Several threads rarely help the small products of a batch, and on a machine that does anything
else they hurt: each product waits for the slowest thread, and the others spin meanwhile
(benchmarks/results/blas-threads.md). One thread also adds up in one order, so that a run gives the
same bits on machines with other numbers of cores.
"""

from __future__ import annotations

import os
import sys

_ASKED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_SET = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def limit_blas_threads() -> None:
    """One thread, unless the environment says how many. Has an effect before numpy is imported."""
    if "numpy" in sys.modules or any(name in os.environ for name in _ASKED):
        return
    for name in _SET:
        os.environ[name] = "1"
