"""The graphs of a net that runs as a whole: forward, training, and backward alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from compiler.options import CompileOptions
from compiler.passes.autodiff import differentiate, split
from compiler.passes.context import context_for
from compiler.passes.freeze import freeze
from ir.errors import RoasteryError
from ir.graph import Graph, Node, Role
from ir.op import Property
from ir.program import NetProgram

from .host_calls import HostCalls


class WholeGraphs:
    """Graphs of one program.

    Args:
        observe: inner blobs to keep besides the outputs.

    Attributes:
        hosts: its host layers. forward: the forward graph, with observed blobs among its outputs.
    """

    def __init__(self, program: NetProgram, observe: Sequence[str] = ()) -> None:
        missing = [name for name in observe if name not in program.blobs]
        if missing:
            raise RoasteryError(
                f"there is no blob '{missing[0]}' to observe",
                hint=f"blobs: {', '.join(program.blobs)}",
            )
        self.hosts = HostCalls(program)
        self.forward = self.hosts.recorded(program.showing(observe))
        self._program = program
        self._observe = observe

    def frozen(self, options: CompileOptions) -> tuple[Graph, Graph]:
        """What to run once, and forward, where parameters never change.

        BatchNorm and Scale become part of the weights. Where passes are named nothing else may
        run: then the first graph is empty.
        """
        return _frozen(self.forward, options)

    def deployed(self, options: CompileOptions) -> tuple[Graph, Graph]:
        """As :meth:`frozen`, for an artifact: the net's outputs and state alone.

        Without the summed loss, and without nodes that are there for their effect (file outputs).
        """
        whole, shown = self._program.graph, self._program.outputs
        outputs = tuple(p for p in whole.outputs if p.role is not Role.RESULT or p.name in shown)
        nodes = tuple(node for node in whole.nodes if not is_sink(node))
        return _frozen(replace(whole, nodes=nodes, outputs=outputs), options)

    @property
    def trains(self) -> bool:
        """Whether there is a loss, and something to learn."""
        return bool(self._program.loss_weights) and bool(self._learning())

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
        return [c.name for c in self._program.variables.values() if c.learns]


def is_sink(node: Node) -> bool:
    """Whether a node is there for its effect alone."""
    return bool(node.op.properties & Property.EFFECT) and not node.outputs


def _frozen(graph: Graph, options: CompileOptions) -> tuple[Graph, Graph]:
    if options.passes is not None:
        return Graph(f"{graph.name}.constants"), graph
    return freeze(graph, context_for(graph, options))
