"""What calls kernels on arrays in the CPU's memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

import numpy as np

from compiler.kernel import Config, Kernel


class HostLauncher(Protocol):
    """Of the kernels that one target prints."""

    def prepare(
        self,
        kernel: Kernel,
        config: Config,
        grid: tuple[int, int, int],
        arguments: Sequence[np.ndarray | int | float],
        written: Collection[int],
        name: str,
    ) -> Callable[[], None]:
        """A function that runs a kernel.

        Args:
            arguments: in the order of the parameters; ``written`` numbers the arrays among them
                that the kernel says it writes.
            name: the kernel and its layer, for errors.
        """
        ...
