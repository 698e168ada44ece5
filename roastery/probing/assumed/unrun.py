"""A host layer that does not run: only its tops' shapes are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Shape = tuple[int, ...]


class UnrunLayer:
    """Stands for a Python layer or file output whose code is not there, or may not run.

    Implements :class:`frontends.lowering.probe.HostLayerProbe`: forward and backward give zeros,
    and there are no parameters, whatever the layer's own setup would have made.
    """

    blobs: Sequence[np.ndarray] = ()

    def __init__(self, shapes: Sequence[Shape]) -> None:
        self.shapes = list(shapes)

    def reshape(self, bottoms: Sequence[Shape]) -> None:
        """The tops keep their shapes."""

    def forward(self, inputs: Sequence[np.ndarray], tops: Sequence[Shape]) -> list[np.ndarray]:
        return [np.zeros(shape, np.float32) for shape in self.shapes]

    def hold(self, results: Sequence[np.ndarray]) -> None:
        """There is nothing to hold back."""

    def backward(self, needed: Sequence[bool], arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Zeros for the inputs that need a cotangent."""
        return [np.zeros_like(arrays[i]) for i, wanted in enumerate(needed) if wanted]
