"""A few iterations of a solver on any executor, on inputs that follow from the iteration."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from compiler.options import CompileOptions
from compiler.partitions import by_layer
from compiler.precision import FLOAT32
from ir.ops.ranks import Averages
from ir.program import NetProgram
from roastery.reading import nets
from runtime.backends.backend import Backend
from runtime.data.source import Batch, Position
from runtime.distributed.ranks import ALONE, Ranks
from runtime.logging import CaffeLog
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from runtime.solver.config import SolverConfig
from runtime.solver.learning_rate import LearningRateConfig
from runtime.solver.solver import Solver
from tests.support.lowering import program_of


@dataclass
class Batches:
    """A source that gives other pictures each time; labels are below ``classes``.

    ``part``: of a batch that is ``parts`` times as large.
    """

    tops: tuple[str, ...]
    sizes: list[tuple[int, ...]]
    classes: int = 10
    count: int = 0
    part: int = 0
    parts: int = 1

    def shapes(self) -> list[tuple[int, ...]]:
        return self.sizes

    def next(self) -> Batch:
        rng = np.random.default_rng(self.count)
        self.count += 1
        whole = [
            rng.random(size, np.float32)
            if len(size) > 1
            else rng.integers(0, self.classes, size).astype(np.float32)
            for size in ((size[0] * self.parts, *size[1:]) for size in self.sizes)
        ]
        arrays = [np.split(array, self.parts)[self.part] for array in whole]
        return Batch(arrays, self.position())

    def position(self) -> Position:
        return {"count": self.count}

    def restore(self, position: Mapping[str, Any]) -> None:
        self.count = position["count"]

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Training:
    """What came out: ``losses`` as the log shows them, parameters, history and the log."""

    losses: list[float] = field(default_factory=list)
    data: dict[str, np.ndarray] = field(default_factory=dict)
    diff: dict[str, np.ndarray] = field(default_factory=dict)
    log: str = ""


def lowered(text: str, ranks: Averages | None = None) -> NetProgram:
    return program_of(nets.net_from_text(text, "net.prototxt"), "TRAIN", ranks=ranks)


@contextmanager
def logging_to(stream: io.StringIO) -> Iterator[CaffeLog]:
    with CaffeLog.open(stream=stream) as log:
        yield log


def train(
    text: str,
    backend: Backend,
    iterations: int,
    *,
    layerwise: bool = False,
    precision: str = FLOAT32,
    passes: tuple[str, ...] | None = None,
    prepare: Callable[[Solver], None] | None = None,
    ranks: Ranks = ALONE,
    statistics: Averages | None = None,
    **settings: Any,
) -> Training:
    """Train a net whose inputs are Input layers (``in_data``, ``in_label``).

    ``ranks``: with them, each on its part of a batch. ``statistics``: by whom those of a batch are
    averaged.
    """
    program = lowered(text, statistics)
    feeds = {
        layer.name: Batches(
            layer.tops, [v.shape for v in layer.top_values], part=ranks.rank, parts=ranks.count
        )
        for layer in program.layers
        if layer.type == "Input"
    }
    store = Store(program.variables, seed=3)
    options = CompileOptions(backend.target, precision, passes)
    net = PartitionedNet(
        program,
        backend,
        store,
        feeds,
        options=options,
        partitioning=by_layer(program) if layerwise else None,
    )
    rate = LearningRateConfig("inv", 0.05, gamma=0.001, power=0.75)
    config = SolverConfig(
        **{"learning_rate": rate, "momentum": 0.9, "weight_decay": 0.001, "max_iter": iterations}
        | settings
    )
    stream = io.StringIO()
    result = Training()
    with logging_to(stream) as log:
        solver = Solver(config, net, [], log)
        if ranks.count > 1:
            solver.join(ranks)
        take = solver.smoothed.update

        def keep(loss: float) -> None:
            result.losses.append(loss)
            take(loss)

        solver.smoothed.update = keep  # type: ignore[method-assign]
        if prepare is not None:
            prepare(solver)
        solver.step(iterations)
    result.data = {name: b.peek().copy() for name, b in store.data.items()}
    result.diff = {name: b.peek().copy() for name, b in store.diff.items()}
    result.log = stream.getvalue()
    return result


def worst(ours: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray]) -> float:
    """The largest relative distance of two tensors of one name."""
    assert ours.keys() == theirs.keys()
    return max(
        float(
            np.linalg.norm((ours[k] - b).astype(np.float64)) / max(float(np.linalg.norm(b)), 1e-6)
        )
        for k, b in theirs.items()
    )
