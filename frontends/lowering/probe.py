"""What lowering must ask the outside world: shapes of data, what Python layers make of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from frontends.prototxt.message import Message
from ir.ops.host import HostBackward


@dataclass(frozen=True)
class DataProbe:
    """Top shapes of a data layer, and the object from which the runtime opens it."""

    shapes: tuple[tuple[int, ...], ...]
    source: Any


@dataclass(frozen=True)
class OwnModule:
    """A module of the user's that a Python layer names; ``problem``: why it cannot be taken."""

    file: str
    problem: str = ""


class HostLayerProbe(Protocol):
    """What a layer that runs on the host (a Python layer, a file output) looks like."""

    @property
    def shapes(self) -> Sequence[tuple[int, ...]]:
        """Shapes of the tops."""
        ...

    @property
    def blobs(self) -> Sequence[np.ndarray]:
        """The parameters that the layer made in its setup, as they start."""
        ...

    @property
    def backward(self) -> HostBackward | None:
        """None for a layer that has none."""
        ...

    def reshape(self, bottoms: Sequence[tuple[int, ...]], /) -> None:
        """Run the layer's own `reshape`: the bottoms have these shapes."""
        ...

    def forward(
        self, inputs: Sequence[np.ndarray], tops: Sequence[tuple[int, ...]], /
    ) -> Sequence[np.ndarray]:
        """Bottoms and blobs -> tops, which have the shapes ``tops`` until the layer says else.

        Runs the layer's own `reshape` first.
        """
        ...

    def hold(self, results: Sequence[np.ndarray], /) -> None:
        """Return ``results`` from the next forward, without running it."""
        ...


class Probe(Protocol):
    """Implemented by ``roastery`` on top of ``runtime`` and passed in to lowering."""

    def data(self, layer: Message, phase: str, key: str) -> DataProbe:
        """Open a data layer's source far enough to know its shapes. ``key``: the layer's own name
        in its net, under which the net lowered for another shape asks again."""
        ...

    def host_layer(
        self, layer: Message, phase: str, bottoms: Sequence[tuple[int, ...]], key: str
    ) -> HostLayerProbe:
        """The object behind a host layer: set up at first sight; ``key`` as in :meth:`data`."""
        ...

    def stand_in(
        self, layer: Message, tops: Sequence[tuple[int, ...]], key: str
    ) -> HostLayerProbe | None:
        """What makes up the tops of a layer that has nothing to read; None where a run may not."""
        ...

    def own_module(self, layer: Message) -> OwnModule | None:
        """The module that a Python layer names, if it is there and may be imported."""
        ...

    def blob_file(self, path: str, layer: Message, shape: tuple[int, ...]) -> Any:
        """The array in a binaryproto file (InfogainLoss' matrix), float32. ``shape``: the one that
        fits; whether the file's does is for the caller to check."""
        ...

    def image_sizes(self, path: str, layer: Message) -> np.ndarray:
        """f32 (images, 2): the heights and widths that a file lists; at least one."""
        ...
