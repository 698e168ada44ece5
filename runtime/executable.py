"""A net run as a whole: the fused plan, which keeps only outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from compiler.options import CompileOptions
from compiler.passes.autodiff import diff_port
from ir.errors import RoasteryError
from ir.graph import Graph, Port, PortKey, Role, Value
from ir.ops.dynamic import SizeChanged
from ir.program import LOSS_OUTPUT, RANDOM_STATE, NetProgram
from ir.types import TensorType

from .backends.backend import Backend, BoundGraph
from .data.source import DataSource
from .layered_passes import LayeredPass, LayeredPasses, tells_sizes
from .layerwise import LayerwiseNet
from .memory.buffers import Buffer
from .memory.store import Store
from .specializations import Specialization, Specializations
from .whole_graphs import WholeGraphs

LowerNet = Callable[[Mapping[str, tuple[int, ...]]], NetProgram]

_PATIENCE = 4
"""So often the whole net is planned anew for sizes that Python layers give while they run."""


class FusedNet:
    """Executes a :class:`NetProgram` as one graph, or two where backward runs alone.

    Args:
        feeds: data sources by the layers' keys.
        observe: inner blobs to keep besides the outputs.
        lower_again: makes the program for other input shapes; None: shapes are fixed.
        options: of whatever this net compiles, at every size.
        by_layer: makes the net layer by layer, without feeds. It finds the sizes that Python layers
            give while they run, and runs instead of the whole where they change often.
        freeze: parameters never change after the first forward pass, so that what depends on
            them alone is computed once, and BatchNorm and Scale become part of the weights.
    """

    def __init__(
        self,
        program: NetProgram,
        backend: Backend,
        store: Store,
        feeds: Mapping[str, DataSource] | None = None,
        observe: Sequence[str] = (),
        lower_again: LowerNet | None = None,
        *,
        options: CompileOptions,
        by_layer: Callable[[], LayerwiseNet] | None = None,
        freeze: bool = False,
    ) -> None:
        self.freeze = freeze
        self.backend = backend
        self.options = options
        self.store = store
        self.feeds: Mapping[str, DataSource] = feeds or {}
        self.observe = tuple(observe)
        self._relower = lower_again
        self._layers = None if by_layer is None else LayeredPasses(by_layer)
        self._found = 0  # times that Python layers gave new sizes while they ran
        self._saves = False  # whether forward keeps what backward reads
        self._sizes: dict[str, tuple[int, ...]] = {}  # that depended on data, as they came last
        self._plans = Specializations()
        self._use(self._plan_of(program))
        self._plans.use(self.sizes, self._plan)

    # --- sizes ------------------------------------------------------------------------

    def _plan_of(self, program: NetProgram) -> Specialization:
        plan = Specialization(program, WholeGraphs(program, self.observe))
        for port in program.graph.inputs:
            if port.role is Role.DATA:
                buffer = plan.inputs[port.name] = Buffer(port.value.type)
                plan.buffers[port.key] = buffer
        return plan

    def _use(self, plan: Specialization) -> None:
        """Run ``plan`` from now on. Its inputs hold what they held when it was used last."""
        self.store.extend(plan.program.variables.values())
        plan.follow(self.store.data)
        self._plan = plan
        self.program = plan.program
        self.inputs = plan.inputs
        self._hosts = plan.graphs.hosts
        self._varies = tells_sizes(plan.graphs.forward)
        self._planned = True  # else the inputs have shapes that the program is not made for
        self._buffers = plan.buffers

    def _resize(self, sizes: Mapping[str, tuple[int, ...]]) -> None:
        """Take sizes of all inputs, and of what depends on data: a plan for them, or a new one."""
        plan = self._plans.find(sizes)
        if plan is None:
            assert self._relower is not None
            plan = self._plan_of(self._relower(sizes))
        self._use(plan)
        self._plans.use(sizes, plan)

    @property
    def sizes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the inputs by name."""
        return {name: buffer.type.shape for name, buffer in self.inputs.items()}

    # --- binding ----------------------------------------------------------------------

    def _own(self, role: Role, name: str, value: Value) -> Buffer:
        key = PortKey(role, name)
        if key not in self._buffers:
            self._buffers[key] = Buffer(value.type)
        return self._buffers[key]

    def _port_buffer(self, port: Port) -> Buffer:
        if port.role in (Role.PARAMETER, Role.STATE) and port.name in self.store.data:
            found = self._plan.variables[port.name] = self.store.data[port.name]
            return found
        if port.role is Role.PARAMETER:  # computed once, saved under this name
            return self._own(Role.SAVED, port.name, port.value)
        if port.role is Role.GRADIENT:
            return self.store.diff[port.name]
        return self._own(port.role, port.name, port.value)

    def _bind(self, graph: Graph) -> BoundGraph:
        return self.backend.bind(
            graph,
            {p.key: self._port_buffer(p) for p in graph.inputs},
            {p.key: self._port_buffer(p) for p in graph.outputs},
            self.options,
        )

    # --- running ----------------------------------------------------------------------

    def set_inputs(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Copy arrays into inputs, reshaping the net where a shape is new.

        Raises RoasteryError for an unknown or missing input.
        """
        fed = {
            top for layer in self.program.layers if layer.key in self.feeds for top in layer.tops
        }
        wanted = set(self.inputs) - fed
        if set(arrays) != wanted:
            raise RoasteryError(
                f"the net's inputs are {sorted(wanted)}; given {sorted(arrays)}",
                hint="pass each input by name: net(data=x)",
            )
        for name, array in arrays.items():
            if array is None or np.asarray(array).dtype.kind in "SUMm":
                raise RoasteryError(
                    f"input '{name}' must be an array of numbers, not {array!r:.60}"
                )
        self._fit({name: np.shape(array) for name, array in arrays.items()})
        self._put(arrays)

    def _fit(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        if all(self.inputs[name].type.shape == shape for name, shape in shapes.items()):
            return
        if self._relower is None:
            have = {name: self.inputs[name].type.shape for name in shapes}
            raise RoasteryError(f"input shapes are fixed at {have}; given {dict(shapes)}")
        held = self._values(name for name in self.inputs if name not in shapes)
        if self._hosts:
            self._sizes = {}  # the layers' own `reshape` says more of new shapes
        if not self._runs_layered:
            try:
                self._resize({**self.sizes, **self._sizes, **shapes})
            except RoasteryError:
                if self._layers is None or not self._hosts:
                    raise
                # Perhaps for what a Python layer gave last, at another size: its run will tell.
            else:
                return self._put(held)
        self._planned = False
        self.inputs = dict(self.inputs)
        for name, shape in shapes.items():
            self.inputs[name] = Buffer(TensorType(shape, self.inputs[name].type.dtype))

    def _values(self, names: Iterable[str]) -> dict[str, np.ndarray]:
        return {name: self.inputs[name].peek() for name in names}

    def _put(self, arrays: Mapping[str, np.ndarray]) -> None:
        for name, array in arrays.items():
            self.inputs[name].array[...] = array

    def held_inputs(self) -> dict[str, np.ndarray]:
        """Copies of what all inputs hold, data layers' too."""
        return {name: array.copy() for name, array in self._values(self.inputs).items()}

    def put_inputs(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Inverse of :meth:`held_inputs`."""
        self._fit({name: array.shape for name, array in arrays.items()})
        self._put(arrays)

    def _feed(self) -> None:
        fed: dict[str, np.ndarray] = {}
        for layer in self.program.layers:
            source = self.feeds.get(layer.key)
            if source is not None:
                fed.update(zip(layer.tops, source.next().arrays, strict=True))
        self._fit({top: array.shape for top, array in fed.items()})
        for top, array in fed.items():
            self.inputs[top].fill(array)

    def forward(self) -> None:
        """Run forward on what the inputs (or the data sources) hold."""
        self._feed()
        self.rerun()

    def rerun(self) -> None:
        """Forward once more on the inputs as they are; no data source moves on."""
        self._following_sizes(self._run_forward, LayerwiseNet.forward_loss)

    def _run_forward(self) -> None:
        if self._saves:
            self._split_pair()[0].run()
            return
        if self._plan.forward is None:
            graph = self._plan.graphs.forward
            if self.freeze:
                constants, graph = self._plan.graphs.frozen(self.options)
                if constants.nodes:
                    self._bind(constants).run()
            self._plan.forward = self._bind(graph)
        self._plan.forward.run()

    def _following_sizes(self, run: Callable[[], None], layered: LayeredPass) -> None:
        """Run; where a size that depends on data came out anew, plan again for it and repeat.

        ``layered``: the same pass layer by layer.
        """
        self._hosts.given.clear()
        if self._runs_layered:
            return self._run_layered(layered)
        before = self.written_state() if self._varies else {}
        if not self._planned:
            self._find_sizes(before)
        while True:
            try:
                return run()
            except SizeChanged as change:
                if self._relower is None:
                    raise
                self.restore_state(before)
                if not self._hosts or self._layers is None:
                    self._sizes.update(change.shapes)
                    self._plan_for(self._sizes)
                elif self._runs_layered:
                    return self._run_layered(layered)
                else:
                    self._find_sizes(before)

    @property
    def _runs_layered(self) -> bool:
        """Whether planning the whole for each size costs more than it gains.

        Not where backward runs alone, which reads what the whole forward saved.
        """
        return self._found >= _PATIENCE and not self._saves

    def _run_layered(self, layered: LayeredPass) -> None:
        """Run this pass layer by layer; its results take the place of the whole plan's."""
        assert self._layers is not None
        self._planned = False
        self._hosts.hold(self._hosts.given)
        arrays = self._values(self.inputs)
        random = self.random_state()
        try:
            net, loss = self._layers.run(arrays, random, layered)
        except BaseException:
            self._hosts.release()
            raise
        if random:
            self.restore_random([random[0], random[1] + 1])
        self._buffers = dict(self._buffers)  # those of the plan stay
        for name in (*self.program.outputs, *self.observe):
            self._buffers[PortKey(Role.RESULT, name)] = net.blobs[name].data
        total = Buffer(TensorType(()))
        total.array[...] = loss
        self._buffers[PortKey(Role.RESULT, LOSS_OUTPUT)] = total

    def _find_sizes(self, before: Mapping[str, np.ndarray]) -> None:
        """Plan for the sizes that come out in this pass, with every host layer called once."""
        assert self._layers is not None
        self._found += 1
        hosts = self._hosts
        arrays = self._values(self.inputs)
        hosts.hold(hosts.given)
        try:
            sizes, results = self._layers.find(arrays, hosts, self.random_state())
            self._sizes = {name: s for name, s in sizes.items() if name not in arrays}
            self.restore_state(before)
            self._plan_for(self._sizes)
            self._hosts.hold(results)
        except BaseException:
            hosts.release()
            raise

    def _plan_for(self, sizes: Mapping[str, tuple[int, ...]]) -> None:
        """Take the program for these sizes, at the inputs as they are."""
        arrays = self._values(self.inputs)
        self._resize({**self.sizes, **sizes})
        self._put(arrays)

    def forward_loss(self) -> float:
        self.forward()
        return self._loss()

    def _loss(self) -> float:
        key = PortKey(Role.RESULT, LOSS_OUTPUT)
        return float(self._buffers[key].peek()) if key in self._buffers else 0.0

    def forward_backward(self) -> float:
        """One training pass: adds to the parameter diffs; returns the loss."""
        return self.training_pass()()

    def training_pass(self) -> Callable[[], float]:
        """As :meth:`forward_backward`; the loss is waited for when it is asked for."""
        self._feed()
        self._following_sizes(self._run_training, LayerwiseNet.forward_backward)
        key = PortKey(Role.RESULT, LOSS_OUTPUT)
        if key not in self._buffers:
            return lambda: 0.0
        read = self._buffers[key].read_later()
        return lambda: float(read())

    def _run_training(self) -> None:
        if self._plan.train is None:
            self._plan.train = self._bind(self._plan.graphs.training())
        self._plan.train.run()

    @property
    def ready_for_backward(self) -> bool:
        return self._saves

    def prepare_backward(self) -> None:
        """Make later forward passes save what :meth:`backward` reads."""
        self._saves = True

    def _split_pair(self) -> tuple[BoundGraph, BoundGraph]:
        if self._plan.pair is None:
            ahead, behind = self._plan.graphs.split()
            self._plan.pair = (self._bind(ahead), self._bind(behind))
        return self._plan.pair

    def backward(self, diffs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
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
                hint=f"outputs: {', '.join(self.program.outputs)}",
            )
        weights = self.program.loss_weights
        for name in self.program.outputs:
            key = PortKey(Role.SEED, diff_port(name))
            if key in self._buffers:
                self._buffers[key].array[...] = diffs.get(name, weights.get(name, 0.0))
        self._split_pair()[1].run()
        prefix = diff_port("")
        return {
            name.removeprefix(prefix): b.array
            for (role, name), b in self._buffers.items()
            if role is Role.RESULT and name.startswith(prefix)
        }

    def random_state(self) -> list[int]:
        """Seed and number of the next forward pass; empty for a net without random layers."""
        variable = self.store.data.get(RANDOM_STATE)
        return [] if variable is None else [int(v) for v in variable.peek()]

    def restore_random(self, state: Sequence[int]) -> None:
        """Let the next forward pass draw what it would have drawn at :meth:`random_state`."""
        variable = self.store.data.get(RANDOM_STATE)
        if variable is not None and len(state) == 2:
            variable.array[:] = state

    def written_state(self) -> dict[str, np.ndarray]:
        """Copies of the variables that a forward pass writes, by name."""
        return {
            p.name: self.store.data[p.name].peek().copy()
            for p in self._plan.graphs.forward.outputs
            if p.role is Role.STATE
        }

    def restore_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Put back what :meth:`written_state` gave, as far as it has the sizes of now."""
        for name, array in state.items():
            if self.store.data[name].type.shape == array.shape:
                self.store.data[name].array[...] = array

    def output(self, blob: str) -> np.ndarray:
        """What the last forward left in an output or observed blob."""
        return self._buffers[PortKey(Role.RESULT, blob)].array
