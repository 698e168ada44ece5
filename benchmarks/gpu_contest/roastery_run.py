"""A net in Roastery on a GPU."""

from __future__ import annotations

from benchmarks.contest.job import DECAY, MOMENTUM, RATE
from benchmarks.measured_net import MeasuredNet
from compiler.plan.footprint import footprint
from runtime.backends.backend import Backend, synchronize
from runtime.cuda.backend import CudaBackend
from runtime.net import PartitionedNet
from runtime.solver.config import SolverConfig
from runtime.solver.learning_rate import LearningRateConfig
from runtime.solver.update import Updater

_CONFIG = SolverConfig(
    learning_rate=LearningRateConfig("fixed", RATE), momentum=MOMENTUM, weight_decay=DECAY
)


class RoasteryRun:
    """Parameters are frozen where it does not train."""

    def __init__(self, chosen: MeasuredNet, backend: Backend, precision: str) -> None:
        self.trains = chosen.program.phase == "TRAIN"
        self._free = _free_memory(backend)
        self.net: PartitionedNet = chosen.built(backend, precision, freeze=not self.trains)
        self._backend = backend
        self._updater = Updater(_CONFIG, self.net) if self.trains else None

    def run(self) -> None:
        """A training step with its update, or a forward pass."""
        if self._updater is None:
            self.net.forward()
            return
        self.net.training_pass()
        self._updater.apply(RATE, 0)

    def wait(self) -> None:
        synchronize(self._backend)

    def taken_memory(self) -> int:
        """Bytes that the device has less since this was made, machine code included; 0: unknown."""
        return self._free - _free_memory(self._backend)

    def planned_memory(self) -> int:
        """Bytes that the plan of a pass, and the solver's history, need; 0: there is no plan."""
        found = [footprint(plan) for part in self.net.parts for plan in part.plans]
        most = max(found, key=lambda needed: needed.total, default=None)
        history = self._updater.count if self._updater is not None else 0
        return most.total + history * most.diffs if most is not None else 0


def _free_memory(backend: Backend) -> int:
    if not isinstance(backend, CudaBackend):
        return 0
    with backend.turn:
        return backend.session.device.free_memory()[0]
