"""The graphs of a net that runs as a whole: forward, training, and backward alone."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.passes.autodiff import differentiate, drop_stop_gradient, split
from ir.errors import RoasteryError
from ir.graph import Graph, Role
from ir.program import NetProgram

from .host_calls import HostCalls


class WholeGraphs:
    """Graphs of one program.

    Args:
        observe: inner blobs to keep besides the outputs.

    Attributes:
        hosts: its host layers. shown: the forward graph, with observed blobs among its outputs.
    """

    def __init__(self, program: NetProgram, observe: Sequence[str] = ()) -> None:
        missing = [name for name in observe if name not in program.blobs]
        if missing:
            raise RoasteryError(
                f"there is no blob '{missing[0]}' to observe",
                hint=f"blobs: {', '.join(program.blobs)}",
            )
        self.hosts = HostCalls(program)
        self.shown = self.hosts.recorded(program.showing(observe))
        self._program = program
        self._observe = observe

    def forward(self) -> Graph:
        """A forward pass alone."""
        return drop_stop_gradient(self.shown)

    def training(self) -> Graph:
        """Forward and backward with the loss weights folded in; adds to parameter diffs."""
        weights = self._program.loss_weights
        return differentiate(self._with_losses(), parameters=self._learning(), seeds=weights)

    def split(self) -> tuple[Graph, Graph]:
        """Forward that saves what backward reads, and backward from diffs of the outputs."""
        program = self._program
        inputs = {
            p.name: p.value
            for p in program.graph.inputs
            if p.role is Role.DATA and p.value.type.dtype.is_float
        }
        outputs = [n for n in program.outputs if program.blobs[n][-1].type.dtype.is_float]
        hidden = {n: w for n, w in program.loss_weights.items() if n not in outputs}
        graph = differentiate(
            self._with_losses(),
            parameters=self._learning(),
            diffs=inputs,
            seeds=hidden,
            seeded=outputs,
        )
        return split(graph)

    def _with_losses(self) -> Graph:
        """The graph with the losses that are no outputs, since nobody named them."""
        program = self._program
        return self.hosts.recorded(program.showing([*self._observe, *program.loss_weights]))

    def _learning(self) -> list[str]:
        return [c.name for c in self._program.cells.values() if c.learns]
