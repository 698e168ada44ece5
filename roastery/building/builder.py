"""From a lowered net to one that runs: parameters, data, an executor."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from compiler.options import CompileOptions
from compiler.partitions import by_layer, whole
from compiler.plan.arena import aligned
from frontends.prototxt import Message
from ir.program import NetProgram
from runtime.backends.backend import Backend
from runtime.data.config import NO_SOLVER, SolverSpan
from runtime.data.feeds import open_feeds
from runtime.data.share import ALL, Share
from runtime.memory.buffers import Memory
from runtime.memory.store import Store
from runtime.net import PartitionedNet

from .lowered import LoweredNet, NetRequest, lower_net
from .report import BuildReport
from .sharing import shared_buffers

ExecutionMode = Literal["fused", "layerwise"]


Records = Callable[[NetProgram], Share]
"""Says which records of all the data sources of a program read."""


def all_records(program: NetProgram) -> Share:
    """Nobody else reads any."""
    return ALL


@dataclass(frozen=True)
class BuiltNet:
    """A net that runs.

    Attributes:
        unshared: layers of the net whose parameters it should share that it lacks.
    """

    lowered: LoweredNet
    net: PartitionedNet
    unshared: Sequence[str] = ()

    @property
    def program(self) -> NetProgram:
        return self.lowered.program

    @property
    def message(self) -> Message:
        return self.lowered.message

    @property
    def store(self) -> Store:
        return self.net.store


@dataclass
class NetBuilder:
    """What all nets of a run have in common.

    Attributes:
        options: what is asked of the compiler, see :mod:`roastery.devices.compile_options`.
        mode: one graph for the net, or one per layer.
        freeze: parameters do not change after the first forward pass.
        histories: tensors that a solver keeps for each parameter.
    """

    backend: Backend
    options: CompileOptions
    report: BuildReport
    mode: ExecutionMode = "fused"
    freeze: bool = False
    histories: int = 0

    def build(
        self,
        request: NetRequest,
        seed: int,
        *,
        share: BuiltNet | None = None,
        observe: Sequence[str] = (),
        given: Callable[[NetProgram], Collection[str]] | None = None,
        schedule: SolverSpan = NO_SOLVER,
        records: Records = all_records,
        diff_memory: Callable[[int], Memory] = Memory,
    ) -> BuiltNet:
        """Build a net.

        Args:
            seed: of fillers, random layers and data.
            share: the net whose parameters this one uses, layer by layer by name.
            observe: inner blobs to keep besides the outputs.
            given: the variables that the caller fills next, as from a file of weights.
            schedule: of the solver that trains it.
            records: says which its data sources read, of all.
            diff_memory: makes the memory of its parameters' diffs.

        Raises RoasteryError for every mistake in the net or its data.
        """
        lowered = lower_net(request, self.report)
        program, backend = lowered.program, self.backend
        options = self._options_of(program)
        shared, unshared = (
            shared_buffers(program, share.program, share.store) if share is not None else ({}, [])
        )
        filled_later = given(program) if given else ()
        store = Store(program.variables, seed, shared, filled_later, diff_memory)
        share_of_records = records(program)
        feeds, said = open_feeds(
            program, seed, backend, self.report.notes, schedule, share_of_records
        )
        self.report.built(program, said)
        net = PartitionedNet(
            program,
            backend,
            store,
            feeds,
            lowered.layers.part,
            partitioning=(
                by_layer(program) if self.mode == "layerwise" else whole(program, observe)
            ),
            options=options,
            freeze=self.freeze,
        )
        return BuiltNet(lowered, net, unshared)

    def _options_of(self, program: NetProgram) -> CompileOptions:
        """Those of a net: of a memory budget it has what its solver's history leaves."""
        if self.options.memory_budget is None:
            return self.options
        if self.mode == "layerwise":
            self.report.note("layer by layer all blobs are kept: the memory budget has no effect")
            return replace(self.options, memory_budget=None)
        sizes = (aligned(c.type.nbytes) for c in program.parameters if c.learns)
        history = self.histories * sum(sizes)
        return replace(self.options, memory_elsewhere=history)
