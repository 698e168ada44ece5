"""Settings of Caffe's multi-GPU training, which scripts set whether or not they use it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, NoReturn

from ir.errors import RoasteryError

_UID_BYTES = 128  # as long as ncclUniqueId


@dataclass
class _Solvers:
    count: int = 1
    rank: int = 0
    multiprocess: bool = False


_solvers = _Solvers()


def _refuse() -> NoReturn:
    raise RoasteryError(
        "training on several GPUs (NCCL) is not supported",
        hint="train on one device; iter_size in the solver file makes a batch larger",
    )


def has_nccl() -> bool:
    """False: there is no training on several GPUs."""
    return False


def solver_count() -> int:
    """How many solvers train together."""
    return _solvers.count


def set_solver_count(count: int) -> None:
    """Raises RoasteryError for more than one."""
    if int(count) != 1:
        _refuse()


def solver_rank() -> int:
    """The number of this process among those that train together."""
    return _solvers.rank


def set_solver_rank(rank: int) -> None:
    """Raises RoasteryError for another number than 0."""
    if int(rank) != 0:
        _refuse()


def set_multiprocess(value: bool) -> None:
    """Kept, and without effect: one process trains."""
    _solvers.multiprocess = bool(value)


class NCCL:
    """What a script for several GPUs gives its solver; with one there is nothing to add up.

    Caffe: src/caffe/parallel.cpp. ``solver.add_callback(nccl)`` and ``net.after_backward(nccl)``
    take it.
    """

    def __init__(self, solver: Any, uid: bytes | str) -> None:
        self._solver = solver  # it lives as long as this does

    @staticmethod
    def new_uid() -> bytes:
        """Names a group of processes that train together."""
        return secrets.token_bytes(_UID_BYTES)

    def bcast(self) -> None:
        """Give the others the weights of the first: there are none."""
