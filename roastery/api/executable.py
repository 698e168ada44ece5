"""A compiled net as a callable, from any number of threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ir.errors import RoasteryError
from ir.program import NetProgram
from runtime.backends.backend import is_remote
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from runtime.net_line import net_line, parameters_text
from runtime.python.own_exceptions import own_exceptions


class Parameters(Mapping[str, list[np.ndarray]]):
    """Parameters by layer name: a list of writable arrays per layer (weights, bias ...).

    The second layer of a name stands under ``name@2``.
    """

    def __init__(self, program: NetProgram, store: Store, *, diff: bool = False) -> None:
        self._buffers = store.diff if diff else store.data
        self._variables = {
            layer.key: layer.variables for layer in program.layers if layer.variables
        }

    def __getitem__(self, layer: str) -> list[np.ndarray]:
        # Made when asked for: an array that somebody holds is copied with every run on a GPU.
        return [self._buffers[variable].array for variable in self._variables[layer]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


@dataclass
class _Call:
    """A forward pass: what it takes to run it again for its backward.

    ``before`` is the state that it changed, as it was. ``inputs`` are copies, made when another
    thread needs the buffers.
    """

    thread: int
    before: dict[str, np.ndarray] | None = None
    inputs: dict[str, np.ndarray] | None = None


class Executable:
    """A compiled net. Call it with its inputs by name; it returns its outputs by name.

    A batch or image size it has not seen is planned again, with the same kernels; of the last
    sizes the plans are kept. Threads may share it: their calls take turns, and :meth:`backward`
    belongs to the calling thread's last forward pass.

    Attributes:
        parameters: writable arrays by layer name, which the net really uses.
        parameter_diffs: their diffs, to which :meth:`backward` adds.
    """

    def __init__(self, net: PartitionedNet) -> None:
        self._net = net
        if net.program.phase == "TRAIN":
            net.prepare_backward()
        # On a device there is one turn for everything: a net in a Python layer has it already.
        self._remote = is_remote(net.backend)
        self._turn = net.backend.turn if is_remote(net.backend) else threading.RLock()
        self._last: _Call | None = None  # whose pass the buffers hold
        self._mine = threading.local()  # .call: the last one of the thread
        self._threads = False  # whether several threads have called
        self.parameters = Parameters(net.program, net.store)
        self.parameter_diffs = Parameters(net.program, net.store, diff=True)

    def __repr__(self) -> str:
        net = self._net
        shapes = {name: buffers.shape for name, buffers in net.blobs.items()}
        facts = [net.program.phase, f"on {self.device}", f"in {self.precision}"]
        facts.append(f"({parameters_text(net.program)})")
        outputs = {name: shapes.get(name) for name in self.outputs}
        return net_line("Executable", net.program.name, facts, self.inputs, outputs)

    @property
    def device(self) -> str:
        return self._net.backend.name

    @property
    def precision(self) -> str:
        """How exact numbers are, as the device does it: ``float32``, ``tf32`` ..."""
        return self._net.options.precision

    @property
    def inputs(self) -> dict[str, tuple[int, ...]]:
        """Shapes by name, as they are now."""
        return self._net.inputs.shapes

    @property
    def outputs(self) -> list[str]:
        shown = (*self._net.program.outputs, *self._net.partitioning.observed)
        return list(dict.fromkeys(shown))

    @own_exceptions()
    def __call__(self, /, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        """Run forward. Arrays are copied in; the outputs are new arrays."""
        with self._turn:
            self._make_room()
            self._net.inputs.take(inputs)
            self._last = None
            call = _Call(threading.get_ident(), self._state_before())
            self._net.forward()
            self._last = self._mine.call = call
            return {name: self._net.output(name).copy() for name in self.outputs}

    @own_exceptions()
    def backward(self, /, **diffs: np.ndarray) -> dict[str, np.ndarray]:
        """Diffs of the inputs, given diffs of outputs by name (default: loss weights).

        Adds to :attr:`parameter_diffs`. In phase TEST the first call runs forward once more, from
        the state it started from, to save what backward needs; later passes save it by themselves.
        So does a call after another thread's forward pass.
        """
        with self._turn:
            call: _Call | None = getattr(self._mine, "call", None) or self._last
            now: dict[str, np.ndarray] = {}
            if call is not None and call is not self._last:
                now = self._bring_back(call)
            elif not self._net.ready_for_backward:
                self._net.prepare_backward()
                self._rerun(call)
            found = {name: array.copy() for name, array in self._net.backward_from(diffs).items()}
            self._net.state.put(now)
            return found

    def _state_before(self) -> dict[str, np.ndarray] | None:
        """The state that a pass changes, if a later backward may need it: a device waits for it."""
        if self._net.ready_for_backward and self._remote and not self._threads:
            return None
        return self._net.state.held()

    def _make_room(self) -> None:
        """Keep what another thread's pass read, before it is overwritten."""
        last = self._last
        if last is not None and last.thread != threading.get_ident() and last.inputs is None:
            self._threads = True
            last.inputs = self._net.inputs.held()

    def _bring_back(self, call: _Call) -> dict[str, np.ndarray]:
        """Run a pass of this thread again; returns the state that passes after it have left."""
        if call.inputs is None or call.before is None:
            raise RoasteryError(
                "backward has no forward pass: the last one of this thread failed, or another "
                "thread's came after it",
                hint="call the net again, then backward",
            )
        self._make_room()
        now = self._net.state.held()
        self._net.prepare_backward()
        self._net.inputs.put(call.inputs)
        self._last = None
        self._rerun(call)
        self._last, call.inputs = call, None
        return now

    def _rerun(self, call: _Call | None) -> None:
        if call is not None and call.before is not None:
            self._net.state.put(call.before)
        self._net.forward(fed=True)

    def clear_diffs(self) -> None:
        """Set all parameter diffs to zero."""
        with self._turn:
            self._net.store.clear_diffs()

    def summary(self) -> None:
        """Print its layers as a table: shapes, parameters, multiply-adds, bytes, and sums."""
        from ..counting.running import count_running

        print(count_running(self._net), end="")

    @property
    def program(self) -> NetProgram:
        """The lowered net."""
        return self._net.program

    @property
    def store(self) -> Store:
        """Its parameters and state, as `roastery.api.exporting.export_program` takes them."""
        return self._net.store
