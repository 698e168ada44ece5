"""The update step: one pointwise graph per group of parameters that are updated alike."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ir import expr as e
from ir.build import Builder
from ir.expr import Expr
from ir.graph import Direction, Graph, PortKey, Role
from ir.types import TensorType

from ..backends.backend import BoundGraph, is_remote
from ..memory.buffers import Buffer, side_by_side
from ..memory.store import Group, Piece
from .config import SolverConfig
from .nets import RunnableNet
from .rules import RULES, Moment

HYPER = ("rate", "scale", "correction")
"""Numbers that change per iteration, read from memory: lr, what gradients are multiplied with
(clipping, 1 / iter_size), Adam's correction."""


def update_graph(config: SolverConfig, group: Group, size: int) -> Graph:
    """The update of one group as a graph over its flat buffers.

    Inputs: ``data``, ``diff``, ``history<i>`` (f32[size]) and :data:`HYPER` (f32[1]).
    Outputs of the same names: the new parameters, the applied step (in ``diff``), the new history.
    """
    rule, count = RULES[config.type]
    b = Builder(f"update_{config.type.lower()}")
    flat, one = TensorType((size,)), TensorType((1,))
    values = [b.input("data", flat, Role.PARAMETER), b.input("diff", flat, Role.GRADIENT)]
    values += [b.input(f"history{i}", flat, Role.STATE) for i in range(count)]
    values += [b.input(name, one, Role.HYPER) for name in HYPER]
    weight, diff = e.arg(0), e.arg(1)
    history = tuple(e.arg(2 + i) for i in range(count))
    rate, scale, correction = (e.arg(2 + count + i) for i in range(len(HYPER)))
    gradient = _with_decay(config, diff * scale, weight, group.decay_mult)
    step, after = rule(config, Moment(gradient, history, rate * group.lr_mult, correction))
    with b.at(hint=b.name, direction=Direction.UPDATE):
        data, applied, *kept = b.maps((weight - step, step, *after), *values)
    b.output("data", data, Role.STATE)
    b.output("diff", applied, Role.GRADIENT)
    for i, value in enumerate(kept):
        b.output(f"history{i}", value, Role.STATE)
    return b.finish()


def _with_decay(config: SolverConfig, gradient: Expr, weight: Expr, decay_mult: float) -> Expr:
    decay = config.weight_decay * decay_mult
    if decay == 0.0:
        return gradient
    if config.regularization_type == "L2":
        return gradient + weight * decay
    sign = e.where(weight > 0.0, 1.0, e.where(weight < 0.0, -1.0, 0.0))
    return gradient + sign * decay


Clipping = tuple[float, float]
"""The norm of all gradients, and the limit that it exceeded."""


def clip_graph(config: SolverConfig, size: int) -> Graph:
    """What :meth:`Updater.apply` does on the host otherwise, for where the diffs are elsewhere.

    ``diff`` f32[size] -> ``norm`` f32[1] and ``scale`` f32[1], which clips it and averages over
    iter_size.
    """
    b = Builder("clip_gradients")
    diff = b.input("diff", TensorType((size,)), Role.GRADIENT)
    with b.at(hint=b.name, direction=Direction.UPDATE):
        squares = b.sum(b.map(e.arg(0) * e.arg(0), diff), (0,))
        norm = e.sqrt(e.arg(0))
        limit = config.clip_gradients
        scale = e.where(norm > limit, limit / norm, 1.0) / config.iter_size
        results = b.maps((norm, scale), squares)
    for name, value in zip(("norm", "scale"), results, strict=True):
        b.output(name, value)
    return b.finish()


class Updater:
    """Applies a solver's rule to all parameters that a net learns, on what the net runs on.

    ``history[i][variable]`` are the history tensors, i < count, in views of flat buffers.
    """

    def __init__(self, config: SolverConfig, net: RunnableNet) -> None:
        self.config = config
        self.store = store = net.store
        self.count = RULES[config.type][1]
        numbers = side_by_side([TensorType((1,))] * len(HYPER))
        self.hyper = dict(zip(HYPER, numbers, strict=True))
        self._numbers: dict[str, float] = {}  # as they are in memory
        self.history: list[dict[str, Buffer]] = [{} for _ in range(self.count)]
        self._backend, self._options = net.backend, net.options
        clips_there = config.clip_gradients >= 0.0 and is_remote(self._backend)
        if clips_there:
            self.hyper["scale"] = Buffer(TensorType((1,)))  # the device writes it
        self._flat_history = [self._make_history(group) for group in store.groups]
        self._bound: list[BoundGraph] = []
        self._shares = -1  # of the store, when graphs were bound
        self._bind_groups()
        self._norm = Buffer(TensorType((1,)))
        self._clip = self._bind_clip() if clips_there else None

    def _make_history(self, group: Group) -> list[Buffer]:
        flats = [Buffer(TensorType((group.stop - group.start,))) for _ in range(self.count)]
        for into, flat in zip(self.history, flats, strict=True):
            for name in group.variables:
                diff = self.store.diff[name]
                into[name] = flat.part(diff.start - group.start, diff.type)
        return flats

    def _bind_groups(self) -> None:
        """One graph per group; parameters that live in another store have one each."""
        if self._shares == self.store.shares:
            return
        self._shares = self.store.shares
        self._bound = [
            self._bind(group, history, piece)
            for group, history in zip(self.store.groups, self._flat_history, strict=True)
            for piece in self.store.pieces(group)
        ]

    def _bind(self, group: Group, history: list[Buffer], piece: Piece) -> BoundGraph:
        flat = TensorType((piece.size,))
        ports: dict[str, Buffer] = {
            "data": piece.data.view(flat),
            "diff": self.store.flat_diff.part(piece.start, flat),
            **self.hyper,
        }
        for i, whole in enumerate(history):
            ports[f"history{i}"] = whole.part(piece.start - group.start, flat)
        graph = update_graph(self.config, group, piece.size)
        return self._backend.bind(
            graph,
            {p.key: ports[p.name] for p in graph.inputs},
            {p.key: ports[p.name] for p in graph.outputs},
            self._options,
        )

    def _bind_clip(self) -> BoundGraph:
        return self._backend.bind(
            clip_graph(self.config, self.store.flat_diff.type.size),
            {PortKey(Role.GRADIENT, "diff"): self.store.flat_diff},
            {
                PortKey(Role.RESULT, "norm"): self._norm,
                PortKey(Role.RESULT, "scale"): self.hyper["scale"],
            },
            self._options,
        )

    def apply(self, rate: float, iteration: int) -> Callable[[], Clipping | None]:
        """Update all parameters; diffs hold the applied step afterwards.

        Returns a function that says whether the gradients were clipped; it may wait for a device.
        """
        self._bind_groups()
        c = self.config
        numbers = {
            "rate": rate,
            "correction": _adam_correction(c, iteration) if c.type == "Adam" else 1.0,
        }
        clipped: Callable[[], Clipping | None] = _unclipped
        if c.clip_gradients >= 0.0:
            self.store.clear_padding()
        if self._clip is not None:
            self._clip.run()
            read = self._norm.read_later()
            clipped = self._clipping(lambda: float(read()[0]))
        else:
            scale = 1.0
            if c.clip_gradients >= 0.0:
                norm = float(np.linalg.norm(self.store.flat_diff.peek()))
                clipped = self._clipping(lambda: norm)
                if norm > c.clip_gradients:
                    scale = c.clip_gradients / norm
            numbers["scale"] = scale / c.iter_size
        for name, value in numbers.items():
            if self._numbers.get(name) != value:
                self._numbers[name] = value
                self.hyper[name].put(np.array([value]))
        for bound in self._bound:
            bound.run()
        return clipped

    def _clipping(self, read: Callable[[], float]) -> Callable[[], Clipping | None]:
        limit = self.config.clip_gradients

        def clipping() -> Clipping | None:
            norm = read()
            return (norm, limit) if norm > limit else None

        return clipping


def _unclipped() -> None:
    """Nothing is clipped without clip_gradients."""


def _adam_correction(c: SolverConfig, iteration: int) -> float:
    t = iteration + 1
    return math.sqrt(1.0 - c.momentum2**t) / (1.0 - c.momentum**t)
