"""Dynamic loss scaling: what diffs are multiplied with in float16, found while training.

It begins large. Where gradients are not finite they were too large for float16, most likely: that
step is left out, and the scale is halved. After many good steps it is doubled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from compiler.precision import FLOAT16
from ir import expr as e
from ir.build import Builder
from ir.errors import RoasteryError
from ir.graph import Direction, Graph, PortKey, Role
from ir.types import TensorType

from ..backends.backend import BoundGraph, is_remote
from ..memory.buffers import Buffer
from .nets import RunnableNet

START, LEAST, MOST = 2.0**15, 1.0, 2.0**24
PATIENCE = 2000  # good steps in a row, after which the scale is doubled


def needs_scaling(net: RunnableNet) -> bool:
    """Whether diffs have the range of float16."""
    options = net.options
    return options.precision == FLOAT16 and options.target.kind == "cuda"


def not_finite_graph(size: int) -> Graph:
    """``diff`` f32[size] -> ``found`` f32[1]: 0, or NaN where an element is not finite."""
    b = Builder("finite_gradients")
    diff = b.input("diff", TensorType((size,)), Role.GRADIENT)
    with b.at(hint=b.name, direction=Direction.UPDATE):
        b.output("found", b.sum(b.map(e.arg(0) * 0.0, diff), (0,)))
    return b.finish()


class LossScaling:
    """Of a net that learns in float16.

    Attributes:
        scale: of the next step.
        good: steps since it changed.
    """

    def __init__(self, net: RunnableNet) -> None:
        self.good = 0
        self._store = net.store
        self._number = net.scale_diffs()
        self._found = Buffer(TensorType((1,)))
        self._check: BoundGraph | None = None
        if is_remote(net.backend) and net.store.flat_diff.type.size:
            self._check = net.backend.bind(
                not_finite_graph(net.store.flat_diff.type.size),
                {PortKey(Role.GRADIENT, "diff"): net.store.flat_diff},
                {PortKey(Role.RESULT, "found"): self._found},
                net.options,
            )
        self.scale = START

    @property
    def scale(self) -> float:
        return self._number.value

    @scale.setter
    def scale(self, value: float) -> None:
        self._number.value = value

    def after_step(self) -> tuple[bool, float]:
        """Look at the gradients of a step: whether they may be used, and the scale that they had.

        The next step has another scale where that is due. Waits for the device.
        """
        had, fine = self.scale, self._are_finite()
        self.good = self.good + 1 if fine else 0
        if not fine:
            self.scale = max(LEAST, had / 2)
        elif self.good == PATIENCE:
            self.good = 0
            self.scale = min(MOST, had * 2)
        return fine, had

    def _are_finite(self) -> bool:
        self._store.clear_padding()
        if self._check is None:
            return bool(np.isfinite(self._store.flat_diff.peek()).all())
        self._check.run()
        return bool(self._found.peek()[0] == 0.0)

    def position(self) -> dict[str, Any]:
        """For snapshots, as JSON."""
        return {"scale": self.scale, "good": self.good}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Inverse of :meth:`position`; of a run that had none it stays as it is.

        Raises RoasteryError for what was not written by it.
        """
        if not saved:
            return
        scale, good = saved.get("scale"), saved.get("good")
        fits = type(scale) is float and LEAST <= scale <= MOST and math.log2(scale).is_integer()
        if not (fits and type(good) is int and 0 <= good < PATIENCE):
            raise RoasteryError(f"the saved loss scale is damaged: {dict(saved)!r:.80}")
        assert isinstance(scale, float)
        self.scale, self.good = scale, good
