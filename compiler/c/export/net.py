"""What is written as C: a compiled net at fixed sizes, and what its memory holds at first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compiler.compiled import CompiledGraph
from compiler.instructions import Instructions, instructions_named
from compiler.kernel import Launch
from compiler.kernels.launch import Printed
from compiler.kernels.nodes import KernelBody
from compiler.kernels.task import AsNumber, Task
from compiler.options import CompileOptions
from compiler.pipeline import GraphCompiler
from compiler.plan.plan import HostStep
from ir.errors import RoasteryError
from ir.graph import Graph, Node, PortKey

from ..lanes import lanes_of
from ..lower import lower_to_c, readable_parts
from .pictures import CPictures

_BETWEEN = "\0"
"""Stands between a kernel's comment and its function."""


@dataclass(frozen=True)
class CNet:
    """``name``: of files and functions. ``variables``: parameters and state, as memory holds them.
    ``version``: of Roastery. ``pictures``: None: its program takes arrays alone."""

    name: str
    compiled: CompiledGraph
    options: CompileOptions
    variables: Mapping[PortKey, np.ndarray]
    version: str
    pictures: CPictures | None = None

    @property
    def instructions(self) -> Instructions:
        """Of the CPUs that it is printed for."""
        return instructions_named(self.options.target.instructions)

    @property
    def lanes(self) -> int:
        """Elements of a vector."""
        return lanes_of(self.options.target)


def compiled_for_c(
    graph: Graph, options: CompileOptions, values: Mapping[str, int]
) -> CompiledGraph:
    """A graph without what runs on the host, as kernels in C at these sizes.

    Raises RoasteryError for a layer that is no kernel.
    """
    compiled = GraphCompiler(graph, _lower, options).at(values)
    for step in compiled.plan.steps:
        if isinstance(step, HostStep):
            node = compiled.graph.nodes[step.node]
            raise RoasteryError(
                f"'{step.op}' has no kernel and cannot be exported as C",
                location=node.location,
                hint="export the net for the CPU (--target cpu), where numpy runs it",
            )
    return compiled


def kernel_text(readable: str) -> tuple[str, str]:
    """What is said of a kernel, and its function."""
    comment, _, function = readable.partition(_BETWEEN)
    return comment, function


def _lower(
    node: Node, options: CompileOptions, number: AsNumber, known: Printed
) -> Sequence[Launch]:
    return lower_to_c(node, options, number, known, _parts)


def _parts(task: Task, body: KernelBody) -> str:
    return _BETWEEN.join(readable_parts(task, body, with_options=False))
