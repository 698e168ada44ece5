"""Losses that mean something went wrong, explained once."""

from __future__ import annotations

import math

SATURATED = 87.3365
"""-log(FLT_MIN): what SoftmaxWithLoss gives when the right class has probability 0."""

_DIVERGED = (
    "training has diverged. Usual causes: base_lr too high, inputs not scaled (transform_param "
    "scale or mean), a division by zero in the data; try a lower base_lr or clip_gradients, and "
    "debug_info: true to see where it starts"
)
_SMALL_RANGE = (
    "; in float16 an activation above 65504 is enough, which --precision=bfloat16, with the range "
    "of float32, is not troubled by"
)
_STUCK = (
    "that is -log of the smallest float, so the scores have overflowed and the right class gets "
    "probability 0. Usual causes: base_lr too high, inputs not scaled, labels outside the classes"
)


class LossWatch:
    """Says once what usually causes a loss of NaN, or one that sits at 87.3365.

    Args:
        float16: whether activations have its range.
    """

    def __init__(self, *, float16: bool = False) -> None:
        self._diverged = _DIVERGED + (_SMALL_RANGE if float16 else "")
        self._said: set[str] = set()
        self._stuck = 0

    def remark(self, loss: float) -> str | None:
        """A warning to show, the first time there is a reason."""
        if not math.isfinite(loss):
            return self._once("diverged", f"the loss is {loss:g}: {self._diverged}")
        self._stuck = self._stuck + 1 if abs(loss - SATURATED) < 1e-3 else 0
        if self._stuck >= 3:
            return self._once("stuck", f"the loss sits at {SATURATED}: {_STUCK}")
        return None

    def _once(self, key: str, text: str) -> str | None:
        if key in self._said:
            return None
        self._said.add(key)
        return text
