"""How many threads numpy's matrix products use: one, unless the user says more.

Several threads rarely help the small products of a batch, and on a machine that does anything
else they hurt: each product waits for the slowest thread, and the others spin meanwhile
(benchmarks/results/blas-threads.md). One thread also adds up in one order, so that a run gives the
same bits on machines with other numbers of cores.

A command sets this before numpy is imported. In a user's own process numpy is there already and
serves the user's code, too, so the limit holds only while an executor runs.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import ContextDecorator
from copy import copy
from typing import Any

_ASKED = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "GOTO_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
)
_SET = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_MOST = 64
"""OpenBLAS starts a thread per core, but no more than it was built for: 64 in numpy's wheels."""


def limit_blas_threads() -> None:
    """One thread, unless the environment says how many. Has an effect before numpy is imported."""
    if "numpy" in sys.modules or _environment_decides():
        return
    for name in _SET:
        os.environ[name] = "1"


def _environment_decides() -> bool:
    return any(os.environ.get(name) for name in _ASKED)


class _Library:
    """A BLAS in this process, by its threadpoolctl controller."""

    def __init__(self, controller: Any) -> None:
        self._controller = controller
        self._state = getattr(controller, "_SHARED_STATE", None)
        self._release = getattr(controller, "clear_controlling_thread", None)
        self._openblas = getattr(controller, "internal_api", "") == "openblas"
        self._first = self._threads()
        self._default = min(_cores(), _MOST)
        self._kept: int | None = None  # what to put back
        #: With OpenMP each thread has a number of its own, else the process has one.
        self.per_thread = getattr(controller, "threading_layer", None) == "openmp"

    def _threads(self) -> int:
        return self._controller.get_num_threads() or 1

    def _set(self, threads: int) -> None:
        # Newer threadpoolctl lets one thread decide, which is to be the user's.
        self._controller.set_num_threads(threads)
        if self._release is not None:
            self._release()

    def _is_users(self, threads: int) -> bool:
        """Whether the user set this number: through threadpoolctl, or below what there is."""
        if getattr(self._state, "controlling_thread", None) is not None:
            return True
        if self._openblas:
            return threads < self._default
        return threads != self._first

    def take(self) -> None:
        threads = self._threads()
        self._kept = None
        if threads > 1 and not self._is_users(threads):
            self._kept = threads
            self._set(1)

    def give_back(self) -> None:
        if self._kept is not None and self._threads() == 1:
            self._set(self._kept)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Blocks:
    """How many blocks are open, and the libraries that they limit."""

    def __init__(self, libraries: list[_Library]) -> None:
        self._open = 0
        self._libraries = libraries

    def enter(self) -> None:
        self._open += 1
        if self._open == 1:
            for library in self._libraries:
                library.take()

    def leave(self) -> None:
        if self._open == 0:  # a forked process ends what its parent began
            return
        self._open -= 1
        if self._open == 0:
            for library in self._libraries:
                library.give_back()

    def close(self) -> None:
        self._open = min(self._open, 1)
        self.leave()


class OneBlasThread(ContextDecorator):
    """``with ONE_BLAS_THREAD:`` numpy's products use one thread; afterwards as many as before.

    Blocks may be nested, and open in several threads: the last to leave puts back what the first
    found. The libraries are looked for once (1 ms). A block takes about 10 microseconds, and 1 in
    another block. ``@ONE_BLAS_THREAD`` on a function works, too.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal's handler may run a net, too
        self._found: list[_Library] | None = None
        self._blocks = _Blocks([])
        self._threads: threading.local | None = None  # where a library counts by thread
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)

    def __enter__(self) -> None:
        with self._lock:
            if self._found is None:
                self._find()
            self._blocks.enter()
        if self._threads is not None:
            self._of_thread(self._threads).enter()

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._blocks.leave()
        if self._threads is not None:
            self._of_thread(self._threads).leave()

    def _find(self) -> None:
        self._found = []
        if _environment_decides():
            return
        try:
            from threadpoolctl import ThreadpoolController
        except ImportError:  # who only runs artifacts need not have it: BLAS decides by itself
            return

        chosen = ThreadpoolController().select(user_api="blas")
        self._found = [_Library(controller) for controller in chosen.lib_controllers]
        self._blocks = _Blocks([library for library in self._found if not library.per_thread])
        if any(library.per_thread for library in self._found):
            self._threads = threading.local()

    def _of_thread(self, threads: threading.local) -> _Blocks:
        if not hasattr(threads, "blocks"):
            mine = [copy(library) for library in self._found or () if library.per_thread]
            threads.blocks = _Blocks(mine)
        found: _Blocks = threads.blocks
        return found

    def _after_fork(self) -> None:
        """Other threads are gone, and what they limited is the child's again."""
        self._lock = threading.RLock()
        self._blocks.close()


ONE_BLAS_THREAD = OneBlasThread()
