"""Training by several solvers, each in a process of its own. Caffe: src/caffe/parallel.cpp.

Caffe's python/train.py starts one process for each GPU; in each of them::

    caffe.set_solver_count(len(gpus))
    caffe.set_solver_rank(rank)
    solver = caffe.SGDSolver(file)
    nccl = caffe.NCCL(solver, uid)    # caffe.NCCL.new_uid(), called once by who starts them
    nccl.bcast()
    solver.add_callback(nccl)
    solver.net.after_backward(nccl)   # where solver.param.layer_wise_reduce
    solver.step(solver.param.max_iter)
"""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
import weakref
from collections.abc import Sequence
from multiprocessing.util import Finalize
from typing import Any

from ir.errors import RoasteryError
from runtime.distributed.by_torch import join, no_torch
from runtime.distributed.ranks import ALONE, Ranks
from runtime.distributed.reduction import GradientReduction
from runtime.distributed.same_nets import compare_nets
from runtime.machine.threads import share_machine

from ..ranks.meeting import Meeting, new_meeting, tell_absence
from ..ranks.solvers import PLACE, SolverPlace

_LEAVING = 5.0
"""Seconds that a rank which has done its work waits for the others: on GPUs the last that it sent
them may still be under way."""

_FIRST_TO_LEAVE = 100
_LOST = "the rank that ended first says why; solver.restore(), called by all ranks, goes on"

_to_come: set[int] = set()  # processes that tell, when they end, that they never came
_met: weakref.ref[Any] | None = None  # the ranks that this process trains with


def has_nccl() -> bool:
    """Whether several solvers can train together: torch.distributed is installed."""
    try:
        return importlib.util.find_spec("torch") is not None
    except (ImportError, ValueError):  # something of the user's has this name
        return False


def solver_count() -> int:
    """How many solvers train together."""
    return PLACE.count


def set_solver_count(count: int) -> None:
    """So many processes, each with a solver, train together. Solvers made from now on read their
    part of the records. Raises RoasteryError for less than one."""
    PLACE.count = _whole(count, "solver_count", 1)
    share_machine(PLACE.count)


def solver_rank() -> int:
    """The number of this process among those that train together."""
    return PLACE.rank


def set_solver_rank(rank: int) -> None:
    """This process is one of :func:`solver_count`, numbered from 0. Rank 0 logs, tests and writes
    snapshots. Raises RoasteryError for a negative one."""
    PLACE.rank = _whole(rank, "solver_rank", 0)
    if (pid := os.getpid()) not in _to_come:
        _to_come.add(pid)
        Finalize(None, _tell_absence, exitpriority=_FIRST_TO_LEAVE)


def set_multiprocess(value: bool) -> None:
    """Kept, and without effect: each solver always has a process of its own."""
    PLACE.multiprocess = bool(value)


def _whole(number: int, what: str, least: int) -> int:
    value = int(number)
    if not least <= value < 1 << 20:
        raise RoasteryError(f"{what} is {number}", hint=f"a whole number from {least}")
    return value


def solver_place() -> SolverPlace:
    """Of a solver that is made now. Raises RoasteryError for a rank that there is not."""
    if PLACE.rank >= PLACE.count:
        raise RoasteryError(
            f"solver_rank is {PLACE.rank}, and solver_count {PLACE.count}",
            hint="ranks are numbered from 0: caffe.set_solver_count, caffe.set_solver_rank",
        )
    return SolverPlace(PLACE.count, PLACE.rank)


def _tell_absence() -> None:
    """Let others hear of it that this process ends without ever having met them."""
    if PLACE.count > 1 and _met is None:
        tell_absence(PLACE.rank)


class NCCL:
    """The solvers that train together, as one of them sees them.

    ``solver.add_callback(nccl)`` and ``net.after_backward(nccl)`` take it. With one solver there
    is nothing to do. GPUs exchange by NCCL, processors by gloo, both by torch.distributed.

    Args:
        solver: this process's; its rank was set before it was made.
        uid: of :meth:`new_uid`, the same for all of them.

    Raises:
        RoasteryError: the others do not come, train something else, or torch is not installed.
    """

    def __init__(self, solver: Any, uid: bytes | str) -> None:
        self._solver = solver  # it lives as long as this does
        self._ranks: Ranks = ALONE
        self._reduction: GradientReduction | None = None
        place = solver_place()
        if place.count > 1:
            if place != solver._place:
                raise RoasteryError(
                    f"the solver was made as rank {solver._place.rank} of {solver._place.count}; "
                    f"this is rank {place.rank} of {place.count}",
                    hint="caffe.set_solver_count and caffe.set_solver_rank come before the solver",
                )
            self._ranks = _joined(solver, Meeting.of(uid, place.rank, place.count))
            compare_nets(
                self._ranks, solver._solver.train.store, {"the solver": solver._solver.config.type}
            )
            self._ranks.share(solver._solver.train.store.flat_diff.memory)
            self._compare_seeds()

    @staticmethod
    def new_uid() -> bytes:
        """Names a group of processes that train together, on this machine: 128 bytes.

        It lasts as long as the process that asks for it, which starts the others.
        """
        return new_meeting()

    def bcast(self) -> None:
        """Give the others the state of the first: parameters, and all that a snapshot holds."""
        if self._ranks.count > 1:
            with self._solver._training():
                self._solver._follow_nets()
                self._solver._solver.take_state_of_first(self._ranks, tests=False)

    def _compare_seeds(self) -> None:
        train = self._solver._solver.train
        seeds = self._ranks.gathered(train.store.seed)
        if len(set(seeds)) > 1 and train.feeds and self._ranks.rank == 0:
            self._solver._solver.log.warning(
                f"ranks have different seeds ({', '.join(map(str, seeds))}): where records are "
                "shuffled each has its own order; random_seed in the solver file gives all one"
            )

    def _average(self, *, layer_wise: bool) -> None:
        """Let the solver average gradients over ranks, now in the order of its callbacks.

        Args:
            layer_wise: while backward still runs.
        """
        if self._ranks.count == 1:
            return
        solver = self._solver._solver
        if self._reduction is None:
            if solver.reduction is not None:
                raise RoasteryError(
                    "the solver has an NCCL already", hint="make one, and give it the solver once"
                )
            self._reduction = GradientReduction(self._ranks, solver.train.store)
            self._reduction.overlaps = layer_wise
            solver.reduction = self._reduction
            solver.on_gradients_ready.append(self._reduction.finish)
        self._reduction.overlaps |= layer_wise

    def _add_to(self, solver: Any) -> None:
        """``solver.add_callback(nccl)``."""
        if solver is not self._solver:
            raise RoasteryError(
                "add_callback was given the NCCL of another solver",
                hint="caffe.NCCL(solver, uid) is this solver's",
            )
        ready = solver._solver.on_gradients_ready
        if self._reduction is not None:  # it is watched already: it has its turn from here on
            ready.remove(self._reduction.finish)
            ready.append(self._reduction.finish)
        self._average(layer_wise=solver.param.layer_wise_reduce)

    def _watch(self, net: Any) -> None:
        """``net.after_backward(nccl)``."""
        if net is not self._solver.net:
            raise RoasteryError(
                "after_backward was given the NCCL of another net's solver",
                hint="solver.net.after_backward(caffe.NCCL(solver, uid))",
            )
        self._average(layer_wise=True)

    def _after_backward(self, first: int, last: int) -> None:
        """``net.backward`` of the user's has run layers, from the first down to the last."""
        net = self._solver.net
        store = net._store
        layers: Sequence[Any] = net._net.program.layers[last : first + 1]
        names = dict.fromkeys(name for layer in reversed(layers) for name in layer.variables)
        for name in names:
            if name in store.diff and store.variables[name].learns:
                self._ranks.average_later(store.diff[name])
        self._ranks.finish_averages()


def _joined(solver: Any, meeting: Meeting) -> Ranks:
    """The ranks of a meeting, when all are there."""
    global _met
    if not has_nccl():
        raise no_torch(ImportError("No module named 'torch'"))
    if _met is not None:
        gc.collect()  # solvers are circles
        if _met() is not None:
            raise RoasteryError(
                "this process trains with other ranks already: it has made a caffe.NCCL",
                hint="one for each process; to train once more, let go of the first solver and "
                "its NCCL (del solver, nccl)",
            )
    try:  # before ranks wait for each other: all find the same mistake
        from torch import distributed
    except ImportError as error:
        raise no_torch(error) from error
    meeting.attend(solver._solver.log.warning)
    if distributed.is_initialized():
        distributed.destroy_process_group()
    device = solver.net._net.backend.name
    store = distributed.FileStore(meeting.store, meeting.count)
    warn = solver._solver.log.warning
    ranks = join(device, store, meeting.rank, meeting.count, _LOST, warn)
    _met = weakref.ref(ranks)
    Finalize(None, _leave, (meeting, device), exitpriority=_FIRST_TO_LEAVE)
    return ranks


def _leave(meeting: Meeting, device: str) -> None:
    """At the end of a process: one that fails goes at once, so that the others hear of it."""
    error = sys.exc_info()[1] or getattr(sys, "last_value", None)
    if isinstance(error, SystemExit) and error.code in (None, 0):
        error = None
    if error is not None:
        return
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize()
    meeting.leave(_LEAVING)
