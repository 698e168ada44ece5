"""What the solver needs of a net, however it is executed."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Protocol

import numpy as np

from compiler.options import CompileOptions
from ir.program import NetProgram, shown_blob

from ..backends.backend import Backend
from ..data.source import DataSource
from ..logging.solver_lines import NetOutput
from ..memory.store import Store
from ..net.complete import DiffWatch
from ..net.diff_scale import DiffScale


class RunnableNet(Protocol):
    """A net bound to a store; :class:`runtime.net.PartitionedNet` is one."""

    program: NetProgram
    store: Store

    @property
    def backend(self) -> Backend:
        """What it runs on, its updates too."""
        ...

    @property
    def options(self) -> CompileOptions:
        """What it is compiled by, its updates too."""
        ...

    @property
    def feeds(self) -> Mapping[str, DataSource]:
        """The data sources of its data layers, by the layers' keys."""
        ...

    def forward_loss(self) -> float:
        """Run forward; the weighted loss."""
        ...

    def forward_backward(self, *, adding: bool = False) -> float:
        """Run both; overwrites the parameter diffs, or adds to them. The weighted loss."""
        ...

    def training_pass(
        self, *, adding: bool = False, watch: DiffWatch | None = None
    ) -> Callable[[], float]:
        """:meth:`forward_backward`, not waiting for the device: the loss is read by the call.

        Args:
            watch: is told of the diffs of parameters as soon as they are complete.
        """
        ...

    def scale_diffs(self) -> DiffScale:
        """Have diffs multiplied with a number between where somebody sees them."""
        ...

    def random_state(self) -> list[int]:
        """Seed and number of the next forward pass; empty for a net without random layers."""
        ...

    def restore_random(self, state: Sequence[int]) -> None:
        """Let the next forward pass draw what it would have drawn at :meth:`random_state`."""
        ...

    def output(self, blob: str) -> np.ndarray:
        """What the last forward left in an output blob."""
        ...


def net_outputs(net: RunnableNet, without: Container[str] = ()) -> list[NetOutput]:
    """The outputs as the log shows them, in the net's order, but for some."""
    weights = {
        top: weight
        for layer in net.program.layers
        for top, weight in zip(layer.tops, layer.loss_weights, strict=True)
    }
    return [
        NetOutput(shown_blob(name), tuple(_numbers(net.output(name))), weights[name])
        for name in net.program.outputs
        if name not in without
    ]


def _numbers(array: np.ndarray) -> list[float]:
    found: list[float] = array.astype(np.float64).ravel().tolist()
    return found
