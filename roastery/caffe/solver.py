"""pycaffe's solvers. Caffe: python/caffe/_caffe.cpp, python/caffe/pycaffe.py."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from frontends.prototxt import Message
from ir.errors import RoasteryError
from ir.printable import printable
from runtime.data.notes import to_log, to_logger
from runtime.data.share import Share
from runtime.exclusive import Exclusive, Training
from runtime.logging import CaffeLog
from runtime.python.own_exceptions import own_exceptions
from runtime.python.permission import python_allowed

from ..devices.compile_options import CompileRequest, Passes
from ..ranks.meeting import common_seed
from ..ranks.other_rank import OtherRanksSnapshots
from ..ranks.solvers import SolverPlace
from ..reading.solver_settings import read_solver
from ..training.solvers import assemble, gpu_note
from . import modes
from .net import Net
from .parallel import NCCL, solver_place


class SolverParameters:
    """``solver.param``: settings that scripts read, some of which they may change."""

    def __init__(self, owner: Solver) -> None:
        self._owner = owner

    @property
    def max_iter(self) -> int:
        return self._owner._solver.config.max_iter

    @property
    def display(self) -> int:
        return self._owner._solver.config.display

    @property
    def layer_wise_reduce(self) -> bool:
        return bool(self._owner._message.layer_wise_reduce)

    @property
    def base_lr(self) -> float:
        return self._owner._solver.rate.config.base_lr

    @base_lr.setter
    def base_lr(self, value: float) -> None:
        self._owner._solver.rate.set_base(float(value))


class Solver:
    """A solver from a solver file; its nets are layerwise, so that every blob can be read.

    One thread at a time: another that calls it, or runs its nets, meanwhile gets an InUseError. It
    may look at blobs and parameters.

    Of several that train together (:class:`NCCL`) it is the one that ``set_solver_rank`` said
    before; another than the first writes no log and no snapshots, and tests nothing by itself.

    Args:
        precision, passes, layout, threads, allow_python: as for :class:`caffe.Net`.

    Attributes:
        net: the net that learns. test_nets: the nets that test it.
    """

    type: str | None = None

    def __init__(
        self,
        solver_file: str | os.PathLike[str] | Message,
        *,
        precision: str | None = None,
        passes: Passes = None,
        layout: str | None = None,
        threads: int | None = None,
        allow_python: bool | None = None,
    ) -> None:
        place = solver_place()
        message = read_solver(solver_file)
        if self.type is not None:
            message.set("type", self.type)
        device = modes.asked_device()
        if remark := gpu_note(message, device):
            modes.tell_no_gpu(remark)
        log = modes.solver_log() if place.is_first else CaffeLog()
        with own_exceptions():
            built = assemble(
                message,
                device,
                log,
                mode="layerwise",
                seed=None if message.random_seed >= 0 else _seed(place),
                asked=CompileRequest(modes.precision(precision), passes, layout, threads=threads),
                allow_python=python_allowed(allow_python, default=True),
                notes=to_logger if place.is_first else to_log(log),
                share=Share(place.rank, place.count),
            )
        self._message = message
        self._place = place
        self._solver = built.solver
        if not place.is_first:
            self._solver.snapshots = OtherRanksSnapshots(self._solver.snapshots, place.rank)
            self._solver.draw_as(place.rank)
        self.net = Net.of(built.train)
        self.test_nets = [Net.of(test) for test in built.tests]
        self._shares = self.net.shares
        self.param = SolverParameters(self)
        self._use = Exclusive(f"the solver of {self.net._use.what}")

    def __repr__(self) -> str:
        solver = getattr(self, "_solver", None)
        kind = type(self).__name__ if self.type else f"{self._type()}Solver"
        if solver is None:
            return f"<{kind} that could not be made>"
        program, tests = self.net._net.program, len(self.test_nets)
        name = f" of '{printable(program.name)}'" if program.name else ""
        tested = "no test net" if not tests else f"{tests} test net{'s' * (tests > 1)}"
        return (
            f"<{kind}{name} on {self.net._net.backend.name}: iteration {self.iter} of "
            f"{self._message.max_iter}, lr {self.lr:g}, {tested}>"
        )

    def _type(self) -> str:
        message = getattr(self, "_message", None)
        return str(message.type) if message is not None else ""

    @property
    def iter(self) -> int:
        return self._solver.iteration

    @property
    def lr(self) -> float:
        """The rate of the coming update."""
        return self._solver.coming_rate

    def step(self, iterations: int) -> None:
        """Train for some iterations."""
        with self._training(), own_exceptions():
            self._follow_nets()
            self._solver.step(int(iterations))

    def solve(self, resume: str | os.PathLike[str] | None = None) -> None:
        """Train to max_iter, from a .solverstate if one is given."""
        with self._training(), own_exceptions():
            self._follow_nets()
            self._solver.solve(None if resume is None else os.fspath(resume))

    def restore(self, path: str | os.PathLike[str]) -> None:
        """Continue from a .solverstate."""
        with self._training():
            self._follow_nets()
            self._solver.restore(os.fspath(path))

    def snapshot(self) -> None:
        """Write weights and state now; of several ranks the first does, and nobody waits for it."""
        with self._training():
            self._check_parameters()
            self._solver.snapshot()

    def apply_update(self) -> None:
        """One update from the parameters' diffs as they are; it advances ``iter``.

        With iter_size, diffs are the sum of so many passes, as in Caffe.
        """
        with self._training():
            self._check_parameters()
            self._solver.apply_update()

    def share_weights(self, net: Net) -> None:
        """Let another net use this solver's parameters from now on."""
        net.share_with(self.net)

    def add_callback(
        self,
        on_start: Callable[[], Any] | NCCL,
        on_gradients_ready: Callable[[], Any] | None = None,
    ) -> None:
        """Call functions before every iteration's passes, and between them and the update.

        An :class:`roastery.caffe.NCCL` alone averages gradients over all ranks: who is called
        after it sees the averages.
        """
        if isinstance(on_start, NCCL):
            on_start._add_to(self)
            return
        if on_gradients_ready is None:
            raise RoasteryError(
                "add_callback takes two functions, or an NCCL",
                hint="solver.add_callback(on_start, on_gradients_ready)",
            )
        self._solver.on_start.append(on_start)
        self._solver.on_gradients_ready.append(on_gradients_ready)

    def _training(self) -> Training:
        """The solver and its nets, for this thread alone."""
        return Training([self._use, *(net._use for net in (self.net, *self.test_nets))])

    def _check_parameters(self) -> None:
        for net in (self.net, *self.test_nets):
            net._reshaped.check()

    def _follow_nets(self) -> None:
        """Nets that were reshaped from Python are the ones to run."""
        self._check_parameters()
        self._solver.train = self.net.runnable
        tests = self.test_nets if self._place.is_first else ()
        self._solver.tests = [net.runnable for net in tests]
        if self._shares != self.net.shares:  # they test what learns. Caffe: Solver::Test
            self._shares = self.net.shares
            for net in self.test_nets:
                net.share_with(self.net)


def _seed(place: SolverPlace) -> int | None:
    """For a solver whose file gives none: where several train together they share out records,
    which want one order."""
    seed = modes.solver_seed()
    return common_seed() if seed is None and place.count > 1 else seed


class SGDSolver(Solver):
    """A solver of type SGD, whatever its file says."""

    type = "SGD"


class NesterovSolver(Solver):
    """A solver of type Nesterov, whatever its file says."""

    type = "Nesterov"


class AdaGradSolver(Solver):
    """A solver of type AdaGrad, whatever its file says."""

    type = "AdaGrad"


class RMSPropSolver(Solver):
    """A solver of type RMSProp, whatever its file says."""

    type = "RMSProp"


class AdaDeltaSolver(Solver):
    """A solver of type AdaDelta, whatever its file says."""

    type = "AdaDelta"


class AdamSolver(Solver):
    """A solver of type Adam, whatever its file says."""

    type = "Adam"


_CLASSES = {
    kind.type: kind
    for kind in (
        SGDSolver,
        NesterovSolver,
        AdaGradSolver,
        RMSPropSolver,
        AdaDeltaSolver,
        AdamSolver,
    )
}


def get_solver(
    solver_file: str | os.PathLike[str] | Message,
    *,
    precision: str | None = None,
    passes: Passes = None,
    layout: str | None = None,
    threads: int | None = None,
    allow_python: bool | None = None,
) -> Solver:
    """A solver of the type that its file names."""
    message = read_solver(solver_file)
    kind = _CLASSES.get(message.type, Solver)  # Solver itself tells the known types
    return kind(
        message,
        precision=precision,
        passes=passes,
        layout=layout,
        threads=threads,
        allow_python=allow_python,
    )
