"""A net that runs: the partitions of a program, one after the other.

Semantics of diffs follow Caffe (src/caffe/net.cpp): backward adds to parameter diffs and overwrites
blob diffs; layer by layer, a loss top's diff holds its loss weight. A training pass overwrites the
diffs of parameters, too, if it is not asked to add: nothing zeroes and reads them then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from compiler.options import CompileOptions
from compiler.partitions import Flow, Onto, Partition, Partitioning, whole
from compiler.plan.plan import Plan
from ir.errors import RoasteryError
from ir.graph import Graph, Role, Value
from ir.program import NetProgram

from ..backends.backend import Backend, prepare
from ..data.source import DataSource
from ..machine.blas_threads import ONE_BLAS_THREAD
from ..memory.buffers import Buffer
from ..memory.store import Store
from .blobs import BlobBuffers, Changes
from .complete import Complete, DiffWatch, PartGraph, complete_after
from .context import After, LowerPart, NetContext
from .diff_scale import DiffScale
from .inputs import Arrays, NetInputs
from .partition import GraphChoice, Loss, RunningPartition, after_saving, joint, saving
from .state import PassState

FlowOf = Callable[[Partition], Flow]


class PartitionedNet:
    """Executes a :class:`NetProgram`, cut as ``partitioning`` says.

    A partition's graphs are made and bound when it first runs, and again when what it reads has
    other shapes by then: net inputs, what the user reshaped, what came out of the layers before.
    One that does not run is not looked at. An error in one leaves those before it at their new
    shapes, and the net usable.

    Args:
        partitioning: None: the whole net.
        feeds: data sources by the layers' keys.
        lower_again: lowers layers for other shapes; None: they are fixed.
        options: of whatever this net compiles, at every size.
        freeze: parameters never change after the first forward pass, so that what depends on
            them alone is computed once, and BatchNorm and Scale become part of the weights.

    Attributes:
        program: the net as it was lowered first.
        blobs: those that have memory, in the order of the layers that make them; each object
            stays for the net's life. inputs: those that are fed.
        state: what passes leave for the next one.
        parts: in file order; layer by layer, a part has the layer's number.
    """

    def __init__(
        self,
        program: NetProgram,
        backend: Backend,
        store: Store,
        feeds: Mapping[str, DataSource] | None = None,
        lower_again: LowerPart | None = None,
        *,
        partitioning: Partitioning | None = None,
        options: CompileOptions,
        freeze: bool = False,
    ) -> None:
        self.program = program
        self.partitioning = partitioning = partitioning or whole(program)
        self.store = store
        self.feeds: Mapping[str, DataSource] = feeds or {}
        self.before_forward: list[Callable[[int], None]] = []
        self.after_forward: list[Callable[[int], None]] = []
        self.before_backward: list[Callable[[int], None]] = []
        self.after_backward: list[Callable[[int], None]] = []
        store.extend(program.variables.values())
        changes = Changes()
        self.blobs: dict[str, BlobBuffers] = {}
        for name, first in _first_versions(program, partitioning):
            self.blobs[name] = BlobBuffers(Buffer(first.type), Buffer(first.type), changes)
        fed_as = partitioning.inputs
        self.context = NetContext(backend, options, lower_again, store, self.blobs, fed_as, changes)
        shared = _shared_statistics(program, partitioning)
        self.parts = [
            RunningPartition(program, part, self.context, self.feeds, alone)
            for part, alone in zip(partitioning.parts, shared, strict=True)
        ]
        fed = {top for layer in program.layers if layer.key in self.feeds for top in layer.tops}
        self.inputs = NetInputs(self.blobs, partitioning.inputs, fed, self.parts)
        self._freeze = freeze
        self._saves = partitioning.by_layer  # whether forward keeps what backward reads
        self.state = PassState(program, store)
        self._ahead = False  # what forward needs was shown to the backend, by itself
        self._prepared: set[bool] = set()  # of backward that adds, or not: was shown to the backend

    @property
    def by_layer(self) -> bool:
        """Whether every layer runs on its own, and every blob keeps its data and diff."""
        return self.partitioning.by_layer

    @property
    def backend(self) -> Backend:
        return self.context.backend

    @property
    def options(self) -> CompileOptions:
        return self.context.options

    def graphs(self, *, adding: bool = True) -> Iterator[tuple[Graph, Mapping[str, int]]]:
        """The forward and backward graphs of the partitions, with the sizes of now.

        Args:
            adding: whether backward adds to the diffs of parameters.
        """
        behind = {part: graph for _, part, graph in self._behind(_apart, adding=adding)}
        for part in self.parts:
            ahead = saving(_apart(part.partition))(part.graphs)
            if ahead.nodes and not part.shares:
                yield ahead, part.values
            graph = behind[part](part.graphs)
            if graph.nodes:
                yield graph, part.values

    def rebind(self) -> None:
        """Let go of graphs that are bound to buffers which were replaced."""
        self.context.changes.memory += 1

    def reshape(self) -> None:
        """Carry the shapes of the inputs through the whole net. Caffe: Net::Reshape.

        Raises RoasteryError where a layer cannot take them; those before it have theirs by then.
        """
        for part in self.parts:
            part.reshape()

    # --- running ----------------------------------------------------------------------

    @ONE_BLAS_THREAD
    def forward(
        self,
        start: int = 0,
        end: int | None = None,
        *,
        fed: bool = False,
        losses: list[Loss] | None = None,
    ) -> None:
        """Run the parts ``start`` to ``end`` (included) on what inputs or data sources hold.

        Args:
            fed: on the inputs as they are: no data source moves on.
            losses: gets the weighted losses of the layers.
        """
        if not self._prepared and not self._ahead:
            self._prepare(adding=True)
        if start == 0:
            self.state.begin_pass()
        stop = len(self.parts) if end is None else end + 1
        for number in range(start, stop):
            for call in self.before_forward:
                call(number)
            part = self.parts[number]
            part.forward(self._choice(part), fed=fed)
            if losses is not None:  # before somebody overwrites them
                losses += part.losses()
            for call in self.after_forward:
                call(number)

    def backward(self, start: int | None = None, end: int = 0) -> None:
        """Run backward from part ``start`` (the last) down to ``end`` (included): it adds to the
        diffs of parameters."""
        self._prepare(adding=True)
        self._run_behind(self._behind(_apart, start, end, adding=True))

    @ONE_BLAS_THREAD
    def _run_behind(
        self, graphs: Iterable[PartGraph], calls: Mapping[int, After] | None = None
    ) -> None:
        for number, part, graph in graphs:
            for call in self.before_backward:
                call(number)
            part.backward(graph, calls.get(number) if calls else None)
            for call in self.after_backward:
                call(number)

    def _behind(
        self, flow_of: FlowOf, start: int | None = None, end: int = 0, *, adding: bool
    ) -> Iterator[PartGraph]:
        """What backward runs, in order. If it is not ``adding``, the first that writes the diff of
        a parameter overwrites it, and others that share the parameter add to that."""
        written: frozenset[str] = frozenset()
        first = len(self.parts) - 1 if start is None else start
        for number in range(first, end - 1, -1):
            part = self.parts[number]
            graph = after_saving(flow_of(part.partition), None if adding else written)
            yield number, part, graph
            written |= part.written(graph)

    def _choice(self, part: RunningPartition) -> GraphChoice:
        if self._saves:
            return saving(part.partition.apart)
        return part.frozen if self._freeze else lambda graphs: graphs.forward

    def prepare_forward(self) -> None:
        """Compile what forward needs at the sizes of now, before it runs.

        What a net that runs layer by layer needs for backward is then compiled when that runs.
        """
        self._ahead = True
        graphs = ((self._choice(part)(part.graphs), part) for part in self.parts if not part.shares)
        shown = ((graph, part.values) for graph, part in graphs if graph.nodes)
        prepare(self.backend, shown, self.options)

    def _prepare(self, *, adding: bool) -> None:
        if self.by_layer and adding not in self._prepared:
            self._prepared.add(adding)
            prepare(self.backend, self.graphs(adding=adding), self.options)

    def forward_loss(self, start: int = 0, end: int | None = None) -> float:
        """As :meth:`forward`; returns the weighted loss of the layers."""
        losses: list[Loss] = []
        self.forward(start, end, losses=losses)
        return _sum(losses)()

    def forward_backward(self, *, adding: bool = False) -> float:
        """One training pass; returns the loss.

        Args:
            adding: add to the diffs of parameters; else they are overwritten, with zero where no
                diff flows.
        """
        return self.training_pass(adding=adding)()

    def training_pass(self, *, adding: bool = False, watch: DiffWatch | None = None) -> Loss:
        """As :meth:`forward_backward`; the loss is waited for when it is asked for.

        Args:
            watch: is told of the diffs of parameters as soon as they are complete.
        """
        if self._watched and not adding:  # from within, diffs look as they do in Caffe
            self.store.clear_diffs()
            adding = True
        losses: list[Loss] = []
        if self.by_layer:
            self._prepare(adding=adding)
            self.forward(losses=losses)
        else:
            self.state.begin_pass()
            for part in self.parts:
                flow = part.partition.training
                if self._joint:
                    after = self._calls_in_one(watch, adding) if watch is not None else None
                    part.forward(joint(flow, _onto(adding)), after=after)
                else:
                    part.forward(saving(flow))
                losses += part.losses()
        if not self._joint:
            complete = self.complete_after
            calls = None if watch is None else watch.calls(complete(adding=adding), _has_ended)
            self._run_behind(self._writing(adding=adding), calls)
        if not adding:
            written = (part.written(graph) for _, part, graph in self._writing(adding=adding))
            self.store.clear_diffs(but=frozenset().union(*written))
        return _sum(losses)

    def _calls_in_one(self, watch: DiffWatch, adding: bool) -> Callable[[], After]:
        """What is called in a pass that is one graph; asked for when its sizes are known."""

        def calls() -> After:
            complete = self.complete_after(adding=adding)
            return watch.calls(complete, partial(self._forward_ends, adding)).get(0, {})

        return calls

    def _forward_ends(self, adding: bool) -> int | None:
        """The step of the plan of a pass that is one graph, where there is one."""
        plans = self.training_plans(adding=adding)
        return plans[0].results_after if plans else None

    @property
    def _joint(self) -> bool:
        return self.partitioning.joint

    @property
    def _watched(self) -> bool:
        """Whether somebody looks on while a pass runs."""
        calls = self.before_forward, self.after_forward, self.before_backward, self.after_backward
        return any(calls)

    def _writing(self, *, adding: bool) -> Iterator[PartGraph]:
        """What writes the diffs of parameters in a training pass, in order."""
        if not self._joint:
            return self._behind(_training, adding=adding)
        (part,) = self.parts
        return iter([(0, part, joint(part.partition.training, _onto(adding)))])

    def training_plans(self, *, adding: bool = False) -> list[Plan]:
        """Those of a training pass at the sizes of now, before it runs, where forward and backward
        are one graph and the executor has plans."""
        if not self._joint:
            return []
        onto = _onto(adding or self._watched)
        choices = ((part, joint(part.partition.training, onto)) for part in self.parts)
        plans = (part.plan(choice) for part, choice in choices)
        return [plan for plan in plans if plan is not None]

    def complete_after(self, *, adding: bool = False) -> dict[str, Complete]:
        """Where in a training pass the diff of each variable is complete, at the sizes of now; not
        in it: what no layer writes.

        From there on a diff may be sent to others while the rest of the pass runs.
        """
        return complete_after(self._writing(adding=adding))

    @property
    def ready_for_backward(self) -> bool:
        return self._saves

    def prepare_backward(self) -> None:
        """Make later forward passes save what :meth:`backward` reads."""
        self._saves = True

    def backward_from(self, diffs: Arrays) -> dict[str, np.ndarray]:
        """Diffs of the inputs, for diffs of outputs; adds to the parameter diffs.

        An output that is not named has its loss weight as its diff (0 without one). Uses what the
        last forward pass saved, so :meth:`prepare_backward` must come before that pass.
        """
        if not self._saves:
            raise RuntimeError("prepare_backward() must be called before the forward pass")
        unknown = set(diffs) - set(self.program.outputs)
        if unknown:
            raise RoasteryError(
                f"no output is called {', '.join(sorted(unknown))}",
                hint=f"outputs: {', '.join(self.program.outputs)}; what is observed takes no diff",
            )
        weights = self.program.loss_weights
        for name in self.program.outputs:
            diff = self.blobs[name].diff
            diff.put(np.broadcast_to(diffs.get(name, weights.get(name, 0.0)), diff.type.shape))
        self.backward()
        inputs = self.inputs.items()
        return {name: b.diff.array for name, b in inputs if b.data.type.dtype.is_float}

    def output(self, blob: str) -> np.ndarray:
        """What the last forward left in a blob that has memory."""
        return self.blobs[blob].data.array

    def scale_diffs(self) -> DiffScale:
        """Have diffs multiplied with a number between where somebody sees them, in the passes to
        come: small ones get lost in float16."""
        scale = DiffScale()
        self.context.hyper.update(scale.buffers)
        for part in self.parts:
            part.partition = part.partition.with_scaled_diffs()
        self._prepared.clear()
        return scale

    def random_state(self) -> list[int]:
        """Seed and number of the next forward pass; empty for a net without random layers."""
        return self.state.random()

    def restore_random(self, state: Sequence[int]) -> None:
        """Let the next forward pass draw what it would have drawn at :meth:`random_state`."""
        self.state.restore_random(state)


def _apart(partition: Partition) -> Flow:
    return partition.apart


def _training(partition: Partition) -> Flow:
    return partition.training


def _onto(adding: bool) -> Onto:
    """To which diffs all of a pass in one adds."""
    return None if adding else frozenset()


def _has_ended() -> None:
    """Forward has, where backward is another graph."""


def _sum(losses: Sequence[Loss]) -> Loss:
    return lambda: sum((loss() for loss in losses), 0.0)


def _first_versions(program: NetProgram, partitioning: Partitioning) -> Iterator[tuple[str, Value]]:
    """What has memory, with the first version of it."""
    fed = {place: program.blobs[name][0] for name, place in partitioning.inputs.items()}
    for name in partitioning.held:
        yield name, fed[name] if name in fed else program.blobs[name][0]


def _shared_statistics(program: NetProgram, partitioning: Partitioning) -> list[bool]:
    """Per part, whether it shares statistics with another.

    In the whole graph, a layer reads them as the layer before it left them; one by one, both find
    them in their variable.
    """
    used = [
        {
            name
            for layer in program.layers[part.first : part.last]
            for name in layer.variables
            if program.variables[name].role is Role.STATE
        }
        for part in partitioning.parts
    ]
    uses = Counter(name for names in used for name in names)
    return [any(uses[name] > 1 for name in names) for names in used]
