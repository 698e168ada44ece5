"""One partition of a net: reshaped, then run. Caffe: include/caffe/layer.hpp."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from compiler.last_used import LastUsed
from compiler.partitions import Flow, Onto, Partition, PartitionGraphs, SizedPartition
from compiler.partitions.trimmed import found_port
from compiler.passes.accumulate import written_diffs
from compiler.passes.autodiff import diff_port
from compiler.plan.plan import Plan
from ir.errors import RoasteryError
from ir.graph import Graph, Port, PortKey, Role
from ir.op import Property
from ir.ops.dynamic import SizeChanged
from ir.program import NetProgram
from ir.program_part import ProgramPart

from ..backends.backend import PlannedGraph
from ..data.source import DataSource
from ..memory.buffers import Buffer
from .bindings import Bindings
from .blobs import Shape
from .context import After, BoundPartition, NetContext, SizesByName
from .feed import Feed
from .specializations import Specialization, Specializations

_KEPT = 4
"""Of so many lowerings, those that were used last, the graphs are kept."""

Loss = Callable[[], float]
"""A weighted loss, waited for when it is asked for."""

GraphChoice = Callable[[PartitionGraphs], Graph]
"""Which graph a forward pass runs."""


def saving(flow: Flow) -> GraphChoice:
    """Forward that saves what the backward of ``flow`` reads."""
    return lambda graphs: graphs.pair(flow)[0]


def after_saving(flow: Flow, onto: Onto) -> GraphChoice:
    """Backward, which reads what forward saved."""
    return lambda graphs: graphs.behind(flow, onto)


def joint(flow: Flow, onto: Onto) -> GraphChoice:
    """Forward and backward in one."""
    return lambda graphs: graphs.joint(flow, onto)


class RunningPartition:
    """A partition at the sizes that it was reshaped to last.

    Its forward begins with a reshape, so that it follows the blobs it reads, whoever gave them
    their shapes; where they are as they were that costs next to nothing. Its backward runs at the
    sizes of its last forward.

    Args:
        feeds: by the layers' keys.
        alone: it is not what the whole program shows, and has to be lowered by itself.
    """

    def __init__(
        self,
        program: NetProgram,
        partition: Partition,
        context: NetContext,
        feeds: Mapping[str, DataSource],
        alone: bool,
    ) -> None:
        self.partition = partition
        self._alone = alone and context.lower_again is not None
        self._variables = program.variables
        self._context = context
        self._bindings = Bindings(context)
        layers = program.layers[partition.first : partition.last]
        self._asked = [name for layer in layers for name in layer.sizes]
        self._found: dict[str, Shape] = {}  # sizes that depend on data
        self._general: LastUsed[int, tuple[NetProgram, PartitionGraphs]] = LastUsed(_KEPT)
        self._weighted: dict[str, Buffer] = {}  # diffs that hold a loss weight
        self._followed = self._checked = -1  # as many new shapes has forward, has backward seen
        self._lowered = self._sized(ProgramPart.of(program, partition.first, partition.last))
        self.shares = self._lowered.graphs.shares_data
        self._sizes = self._lowered.sizes
        self._kept = Specializations()
        self._now = self._specialization(self._sizes)
        self._shape_tops()
        self._feeds = [
            Feed(feeds[layer.key], [*map(self._place, layer.tops)], context.blobs)
            for layer in layers
            if layer.key in feeds
        ]
        for feed in self._feeds:
            feed.set_up()

    @property
    def graphs(self) -> PartitionGraphs:
        """Those of the sizes of now, and of all that these could be without lowering again."""
        return self._now.sized.graphs

    @property
    def plans(self) -> list[Plan]:
        """Of what ran at the sizes of now, where the executor has any."""
        graphs = (bound.graph for bound in self._now.bound.values())
        return [graph.plan for graph in graphs if isinstance(graph, PlannedGraph)]

    def plan(self, choose: GraphChoice) -> Plan | None:
        """Of one of the graphs, whether it ran or not; None on an executor without plans."""
        graph = choose(self.graphs)
        bound = self._bound(graph).graph if graph.nodes else None
        return bound.plan if isinstance(bound, PlannedGraph) else None

    @property
    def values(self) -> Mapping[str, int]:
        """What the symbols in the graphs are now."""
        return self._now.sized.values

    # --- running ----------------------------------------------------------------------

    def forward(
        self,
        choose: GraphChoice,
        *,
        fed: bool = False,
        after: Callable[[], After] | None = None,
    ) -> None:
        """Reshape, and run one of the graphs.

        Where a layer on the host gives another size the graph for that runs, with its results.

        Args:
            fed: the data layers have their batch.
            after: asked, at the sizes of now, what to call while it runs.
        """
        for feed in () if fed else self._feeds:
            feed.take_batch()
        self._follow()
        while not self.shares:
            graph = choose(self.graphs)
            try:
                if graph.nodes or _passes_on(graph):
                    self._bound(graph).run(after() if after is not None else None)
                    self._trim()
                return
            except SizeChanged as change:
                if self._context.lower_again is None:
                    raise
                self._resize(change.shapes)

    def _trim(self) -> None:
        """Show as many rows of tops as were found."""
        for place, trimmed in self.graphs.trimmed.items():
            count = self._bindings.found(found_port(place, trimmed))
            rows = self._now.sized.type(trimmed.rows).shape
            self._context.blobs[place].resize(trimmed.shape(rows, count))

    def losses(self) -> list[Loss]:
        """The weighted losses of the layers, as the last forward left them."""
        return [self._loss(name, weight) for name, _, weight in self._now.sized.tops if weight]

    def _loss(self, name: str, weight: float) -> Loss:
        read = self._context.blobs[name].data.read_later()
        return lambda: weight * float(np.sum(read()))

    def frozen(self, graphs: PartitionGraphs) -> Graph:
        """A choice of forward: what depends on parameters alone is computed once."""
        constants, graph = graphs.frozen(self._context.options)
        if constants.nodes:
            self._now.share_constants(constants, self._kept)
            bound = self._bound(constants)
            if not bound.ran:
                self._run_last(constants, bound, {port.key for port in graph.inputs})
        return graph

    def _run_last(self, graph: Graph, bound: BoundPartition, later: set[PortKey]) -> None:
        """Run what makes constants, and let go of the parameters that it alone reads, if they can
        be had again. ``later``: what is read in every pass."""

        def done(port: Port) -> None:
            if port.key not in later and port.role in (Role.PARAMETER, Role.STATE):
                self._context.buffer(port).give_back()

        try:
            bound.run_last(done)
        except BaseException:
            del self._now.bound[graph]  # some of its steps are gone
            raise

    def backward(self, choose: GraphChoice, after: After | None = None) -> None:
        """Run backward at the sizes of the last forward, whose graph was that of the same flow.

        Args:
            after: what to call while it runs.

        Raises RoasteryError where a blob has another shape by now.
        """
        graph = choose(self.graphs)
        if not graph.outputs:
            return
        if self._checked != self._context.changes.shapes:
            self._check_shapes(graph)
            self._checked = self._context.changes.shapes
        self._bound(graph).run(after)

    def written(self, choose: GraphChoice) -> frozenset[str]:
        """The variables whose diffs one of the graphs writes, or adds to."""
        return written_diffs(choose(self.graphs))

    def complete_after(self, choose: GraphChoice) -> dict[str, int | None]:
        """Per variable whose diff one of the graphs writes, the last step of its plan that does;
        None on an executor without plans."""
        graph = choose(self.graphs)
        diffs = written_diffs(graph)
        steps = self._bound(graph).complete_after if diffs else {}
        return dict.fromkeys(diffs) if steps is None else dict(steps)

    def _bound(self, graph: Graph) -> BoundPartition:
        return self._bindings.bound(graph, self._now, self._kept)

    def _check_shapes(self, graph: Graph) -> None:
        for port in (*graph.inputs, *graph.outputs):
            want = self._now.sized.type(port).shape
            have = self._bindings.shape(port, self._now)
            if have != want:
                blob, layer = port.name.removeprefix(diff_port("")), self.graphs.layers[0]
                raise RoasteryError(
                    f"'{blob}' has shape {list(have)}; when layer '{layer.name}' ran it "
                    f"was {list(want)}, so that it cannot run backward",
                    location=layer.location,
                    hint="run forward through this layer first",
                )

    def _place(self, blob: str) -> str:
        return self.partition.reads.get(blob, blob)

    # --- sizes ------------------------------------------------------------------------

    def try_shapes(self, inputs: SizesByName) -> None:
        """Have graphs for other shapes of the net's inputs, before these are taken.

        Raises RoasteryError where the layers cannot take them; nothing has changed then.
        """
        reads = self.partition.reads.keys() & inputs.keys()
        self._specialization({**self._sizes_now(), **{name: inputs[name] for name in reads}})

    def reshape(self) -> None:
        """Give the tops their shapes without running. Caffe: Net::Reshape.

        Raises RoasteryError where a layer cannot take the shapes of its bottoms.
        """
        sizes = self._sizes_now()
        theirs = (
            node.op.tells_size and Property.EFFECT in node.op.properties
            for node in self.graphs.forward.nodes
        )
        if self._context.lower_again is None or not any(theirs):
            self._take(sizes, self._specialization(sizes))
            return
        # The layer's own `reshape` may say anything, each time.
        reads = {name: sizes[name] for name in self.graphs.reads}
        sized = self._lower(reads, runs_next=False)
        self._take(sized.sizes, Specialization(sized))

    def _follow(self) -> None:
        if self._followed == self._context.changes.shapes:
            return
        sizes = self._sizes_now()
        self._take(sizes, self._now if sizes == self._sizes else self._specialization(sizes))
        self._followed = self._context.changes.shapes

    def _resize(self, sizes: SizesByName) -> None:
        """Take sizes that came out in a run."""
        blobs = self._context.blobs
        known = {**self._sizes_now(), **sizes}
        self._found.update((n, shape) for n, shape in sizes.items() if n not in blobs)
        self._take(known, self._specialization(known))

    def _sizes_now(self) -> dict[str, Shape]:
        blobs = self._context.blobs
        now = {name: blobs[self._place(name)].shape for name in self.graphs.reads}
        if any(self._sizes[name] != shape for name, shape in now.items()):
            self._found.clear()
        asked = {n: blobs[p].shape for n in self._asked if (p := self._place(n)) in blobs}
        return {**now, **asked, **self._found}

    def _specialization(self, sizes: SizesByName) -> Specialization:
        found = self._kept.find(sizes)
        if found is None:
            as_lowered = sizes == self._lowered.sizes and not self._alone
            found = Specialization(self._lowered if as_lowered else self._lower(sizes))
        return self._kept.use(sizes, found)

    def _lower(self, sizes: SizesByName, *, runs_next: bool = True) -> SizedPartition:
        part = self.partition
        if self._context.lower_again is None:
            raise RoasteryError(
                f"this net has fixed shapes: {self._lowered.sizes}; given {dict(sizes)}",
                location=self._lowered.graphs.layers[0].location,
            )
        blobs = self._context.blobs
        inputs = {name: blobs[place].shape for name, place in self._context.inputs.items()}
        return self._sized(
            self._context.lower_again(
                part.first,
                part.last,
                sizes,
                inputs=inputs,
                alone=self._alone,
                runs_next=runs_next,
            )
        )

    def _sized(self, part: ProgramPart) -> SizedPartition:
        def made() -> tuple[NetProgram, PartitionGraphs]:
            """The program is kept with its graphs, so that no other one takes over its id."""
            blobs = self._context.blobs
            return part.program, PartitionGraphs(part.program, part.layers, self.partition, blobs)

        _, graphs = self._general.get(id(part.program), made)
        return SizedPartition(graphs, part.values)

    def _take(self, sizes: SizesByName, newest: Specialization) -> None:
        """Have other sizes from now on; the partition stays as it was where it cannot."""
        store = self._context.store
        states = [
            replace(self._variables[port.name], type=newest.sized.type(port))
            for port in newest.sized.graphs.forward.inputs
            if port.role is Role.STATE
        ]
        self._context.changes.memory += any(store.data[s.name].type != s.type for s in states)
        store.extend(states)
        self._now, self._sizes = newest, dict(sizes)
        self._shape_tops()

    def _shape_tops(self) -> None:
        blobs = self._context.blobs
        for name, type, weight in self._now.sized.tops:
            if self.shares:
                blobs[name].share(blobs[self._place(self.graphs.layers[0].bottoms[0])], type.shape)
            else:
                blobs[name].resize(type.shape)
            if weight and self._weighted.get(name) is not blobs[name].diff:
                blobs[name].diff.array[...] = weight
                self._weighted[name] = blobs[name].diff


def _passes_on(graph: Graph) -> bool:
    """Whether an output is an input under another name: all that is left of a Dropout."""
    names = {port.value: port.name for port in graph.inputs}
    return any(names.get(port.value, port.name) != port.name for port in graph.outputs)
