"""A net that pictures of several sizes go through, and the time that sizes take."""

from __future__ import annotations

import time
from collections.abc import Sequence

from runtime.data.image_limit import check_pixels

from ..caffe import Net


class SizedNet:
    """Gives an input of a net the sizes of pictures; what a size needs is compiled at once.

    Attributes:
        seconds: that went into this, and not into pictures.
    """

    def __init__(self, net: Net, input_name: str) -> None:
        self._net = net
        self._input = input_name
        self._seen: tuple[int, ...] = ()
        self.seconds = 0.0

    def take(self, size: Sequence[int]) -> bool:
        """Give the input one picture of this height and width; whether it had another size."""
        if tuple(size) == self._seen:
            return False
        began = time.perf_counter()
        check_pixels(*size)
        blob = self._net.blobs[self._input]
        blob.reshape(1, blob.data.shape[1], *size)
        self._net.reshape()
        self._net.runnable.prepare_forward()
        self._seen = tuple(size)
        self.seconds += time.perf_counter() - began
        return True
