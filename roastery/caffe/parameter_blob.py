"""A layer's parameter, and what becomes of it in another shape: net surgery.

Caffe's blobs take any shape, those of layers too. There one reshapes a parameter, fills it, saves
the net, and loads what was saved into a net whose prototxt has that size (for one,
xmyqsh/deeplab-v2: matlab/resnet101_net_surgery.m). Layers here are compiled for the shapes of
their parameters, so a net whose parameter has another one is only good for that.
"""

from __future__ import annotations

from ir.errors import RoasteryError
from ir.types import TensorType
from runtime.exclusive import Exclusive
from runtime.memory.buffers import Buffer
from runtime.net import BlobBuffers
from runtime.python.array_blob import checked_shape

from .blob import Blob


class ReshapedParameters:
    """The parameters of one net that have another shape than its layers take."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}
        self._held: dict[str, BlobBuffers] = {}

    def held(self, variable: str, own: BlobBuffers) -> BlobBuffers:
        """What a parameter holds now."""
        return self._held.get(variable, own)

    def reshape(self, variable: str, own: BlobBuffers, shape: tuple[int, ...], layer: str) -> None:
        """Give a parameter another shape: the first values stay, others are 0."""
        before = self.held(variable, own)
        if shape == before.shape:
            return
        if shape == own.shape:
            now = own
            del self._held[variable]
        else:
            type = TensorType(shape, own.data.type.dtype)
            now = self._held[variable] = BlobBuffers(Buffer(type), Buffer(type))
            self._told[variable] = (
                f"a parameter of layer '{layer}' was reshaped from {list(own.shape)} to "
                f"{list(shape)}"
            )
        for old, new in ((before.data, now.data), (before.diff, now.diff)):
            kept = min(old.type.size, new.type.size)
            new.array.reshape(-1)[:kept] = old.array.reshape(-1)[:kept]

    def check(self) -> None:
        """Raises RoasteryError if there is one: the net cannot run so."""
        for variable in self._held:
            raise RoasteryError(
                f"{self._told[variable]}: the net can only be saved so",
                hint="save it, change the layer in the prototxt, and load what was saved",
            )

    def data(self) -> dict[str, Buffer]:
        """Their data, by variable, for saving."""
        return {variable: buffers.data for variable, buffers in self._held.items()}


class ParameterBlob(Blob):
    """A parameter of a layer."""

    def __init__(
        self,
        buffers: BlobBuffers,
        layer: str,
        variable: str,
        reshaped: ReshapedParameters,
        use: Exclusive | None = None,
    ) -> None:
        super().__init__(buffers, use)
        self._layer = layer
        self._variable = variable
        self._reshaped = reshaped

    def _now(self) -> BlobBuffers:
        return self._reshaped.held(self._variable, self._buffers)

    def reshape(self, *dims: int) -> None:
        """Take another shape: the net can then only be saved, which is what net surgery does.

        The first values stay; where it grows the others are 0.
        """
        shape = checked_shape(dims)
        self._reshaped.reshape(self._variable, self._buffers, shape, self._layer)
