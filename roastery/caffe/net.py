"""``caffe.Net``: a net run layer by layer, with all its blobs in reach."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.message import Message as ProtobufMessage

from frontends.prototxt import Message, from_protobuf
from frontends.prototxt.suggestions import did_you_mean
from ir.errors import RoasteryError
from ir.program import LayerInfo, shown_blob
from runtime.data.notes import Notes, to_logger
from runtime.data.sources.memory_data import MemoryDataConfig
from runtime.exclusive import Exclusive, exclusive
from runtime.net import BlobBuffers, PartitionedNet
from runtime.net_line import made_in, net_line, parameters_text
from runtime.python.own_exceptions import own_exceptions
from runtime.python.permission import python_allowed

from ..building import BuiltNet, LogReport, NetBuilder, NetRequest, shared_buffers
from ..devices.backends import open_backend
from ..devices.compile_options import CompileRequest, Passes, compile_options
from ..reading import nets
from ..weights.parameters import WeightsFile, WeightsFormat, save_weights
from . import modes
from .batches import Collected, batches
from .blob import Blob
from .callbacks import Callback
from .numbered import Numbered
from .parallel import NCCL
from .parameter_blob import ParameterBlob, ReshapedParameters
from .user_errors import check_exists

PathLike = str | os.PathLike[str]

_NAMED = 8  # so many layers are named in one line


class NetLayer:
    """A layer of a net: its name, type and parameters."""

    def __init__(self, info: LayerInfo, blobs: Sequence[Blob]) -> None:
        self.name = info.name
        self.type = info.type
        self.blobs = list(blobs)

    def __repr__(self) -> str:
        return f"<{self.type} layer '{self.name}'>"


class Net(Numbered):
    """pycaffe's Net. Caffe: python/caffe/pycaffe.py, python/caffe/_caffe.cpp.

    Arrays that its methods return are views of the blobs; copies, once a thread other than the
    one that made the net has used it. Two threads that use it at once get an InUseError.

    Attributes:
        blobs: every named blob, in the order of the layers.
        params: lists of blobs (weights, bias ...) by layer name.
        layers: an object with ``type`` and ``blobs`` for each layer; for a Python layer the
            user's own object.
        inputs, outputs: names of blobs.
    """

    blobs: OrderedDict[str, Blob]
    params: OrderedDict[str, list[Blob]]
    layers: list[Any]

    def __init__(
        self,
        network_file: PathLike | Message | ProtobufMessage,
        phase: Any,
        level: Any = 0,
        stages: Sequence[str] | None = None,
        weights: PathLike | None = None,
        *,
        device: str | None = None,
        precision: str | None = None,
        passes: Passes = None,
        layout: str | None = None,
        threads: int | None = None,
        allow_python: bool | None = None,
        notes: Notes = to_logger,
    ) -> None:
        """
        Args:
            network_file: a prototxt, or a NetParameter message.
            phase: ``caffe.TRAIN`` or ``caffe.TEST``.
            level, stages: of the NetState that chooses the layers.
            weights: a .caffemodel or .caffemodel.h5 file.
            device: overrides ``set_mode_*``: reference, cpu, cuda[:N], interpret.
            precision, passes, layout, threads: as in :func:`roastery.compile`.
            allow_python: whether Python layers may import modules that are neither installed nor
                on PYTHONPATH; default: ROASTERY_PYTHON_LAYERS, else yes, as in Caffe.
            notes: gets what data layers say; default: the logger "roastery.data" does.

        The old form ``Net(network_file, weights, phase)`` works too.
        """
        if weights is None and isinstance(phase, (str, Path)) and phase not in modes.PHASES:
            weights, phase, level = phase, level, 0
        if phase not in modes.PHASES:
            raise RoasteryError(f"phase is {phase!r}", hint="caffe.TRAIN or caffe.TEST")
        if isinstance(network_file, (str, os.PathLike)):
            check_exists(network_file, "net file")
        if weights is not None:
            check_exists(weights, "weights file")
        message = nets.read_net(
            from_protobuf(network_file)
            if isinstance(network_file, ProtobufMessage)
            else network_file
        )
        request = NetRequest(
            message,
            nets.net_state(message, modes.PHASES[phase], int(level), stages or ()),
            allow_python=python_allowed(allow_python, default=True),
        )
        backend, report = open_backend(modes.device(device)), LogReport(modes.net_log(), notes)
        with own_exceptions():
            asked = CompileRequest(modes.precision(precision), passes, layout, threads=threads)
            options = compile_options(backend, asked, report.note)
            builder = NetBuilder(backend, options, report, "layerwise")
            stored = None if weights is None else WeightsFile(weights)
            given = stored.gives if stored else None
            built = builder.build(request, modes.next_seed(), given=given)
            self._take(built)
        if stored is not None:
            self._copy_from(stored)

    @classmethod
    def of(cls, built: BuiltNet) -> Net:
        """A net that exists already: a solver's, which must be layerwise."""
        net = cls.__new__(cls)
        net._take(built)
        return net

    def _take(self, built: BuiltNet) -> None:
        if not built.net.by_layer:
            raise TypeError("pycaffe's nets are layerwise")
        self._built = built
        self._net = built.net
        self._store = built.store
        self._nccl: NCCL | None = None
        program = self._net.program
        self._use = Exclusive(f"net '{program.name}'" if program.name else "the net")
        self._own_blobs = {name: Blob(b, use=self._use) for name, b in self._net.blobs.items()}
        self.blobs = OrderedDict((shown_blob(name), b) for name, b in self._own_blobs.items())
        self.inputs = list(program.inputs)
        self.outputs = list(program.outputs)
        self._variables = {
            variable: BlobBuffers(self._store.data[variable], self._store.diff[variable])
            for layer in program.layers
            for variable in layer.variables
        }
        self._reshaped = ReshapedParameters()
        self.layers = [self._show(layer) for layer in program.layers]
        self.params = OrderedDict(
            (info.name, self._parameters(info)) for info in program.layers if info.variables
        )

    def _parameters(self, info: LayerInfo) -> list[Blob]:
        return [
            ParameterBlob(self._variables[variable], info.name, variable, self._reshaped)
            for variable in info.variables
        ]

    def _show(self, info: LayerInfo) -> Any:
        user = self._built.lowered.probe.python_layer(info.key)
        if user is None:
            return NetLayer(info, self._parameters(info))
        for blob, variable in zip(user.blobs, info.variables, strict=True):
            blob.attach(self._store.data[variable].array, self._store.diff[variable].array)
        return user

    # --- what there is ----------------------------------------------------------------

    def __repr__(self) -> str:
        net = getattr(self, "_net", None)
        if net is None:
            return "<Net that could not be made>"
        program = net.program
        shapes = {shown_blob(name): buffers.shape for name, buffers in net.blobs.items()}
        facts = [program.phase, f"on {net.backend.name}", f"({parameters_text(program)})"]
        inputs = {
            name: shapes.get(name) for name in self.inputs or map(shown_blob, made_in(program))
        }
        outputs = {name: shapes.get(name) for name in self.outputs}
        return net_line("Net", program.name, facts, inputs, outputs)

    @property
    def layer_dict(self) -> OrderedDict[str, Any]:
        """The layers by name."""
        return OrderedDict(zip(self._layer_names, self.layers, strict=True))

    @property
    def top_names(self) -> OrderedDict[str, list[str]]:
        """The tops of each layer, by its name."""
        return OrderedDict(
            (layer.name, [shown_blob(top) for top in layer.tops])
            for layer in self._net.program.layers
        )

    @property
    def bottom_names(self) -> OrderedDict[str, list[str]]:
        """The bottoms of each layer, by its name."""
        return OrderedDict((layer.name, list(layer.bottoms)) for layer in self._net.program.layers)

    @property
    def blob_loss_weights(self) -> OrderedDict[str, float]:
        """The loss weight of each blob; 0 for what is no loss."""
        weights = OrderedDict.fromkeys(self.blobs, 0.0)
        for layer in self._net.program.layers:
            weights.update(zip(map(shown_blob, layer.tops), layer.loss_weights, strict=True))
        return weights

    @property
    def runnable(self) -> PartitionedNet:
        """The net that runs."""
        return self._net

    def summary(self) -> None:
        """Print its layers as a table: shapes, parameters, multiply-adds, bytes, and sums.

        Caffe has no such method; it is what `roastery summary` prints, at the shapes of now.
        """
        from ..counting.running import count_running

        print(count_running(self._net), end="")

    def _number(self, layer: str) -> int:
        names = self._layer_names
        if layer not in names:
            near = did_you_mean(layer, names)
            raise RoasteryError(
                f"the net has no layer '{layer}'",
                hint=f"did you mean '{near}'?" if near else f"layers: {', '.join(names)}",
            )
        return names.index(layer)

    def _blob(self, name: str) -> Blob:
        if name not in self.blobs:
            near = did_you_mean(name, self.blobs)
            raise RoasteryError(
                f"the net has no blob '{name}'",
                hint=f"did you mean '{near}'?" if near else f"blobs: {', '.join(self.blobs)}",
            )
        return self.blobs[name]

    # --- running ----------------------------------------------------------------------

    def forward(
        self,
        blobs: Iterable[str] | None = None,
        start: str | None = None,
        end: str | None = None,
        **kwargs: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """Run the layers from ``start`` to ``end``; inputs by name set the input blobs first.

        Returns the net's outputs (or the tops of ``end``), and ``blobs``, as views.
        """
        return self._run_forward(kwargs, list(blobs or ()), start, end)

    @exclusive
    def _run_forward(
        self,
        inputs: Mapping[str, np.ndarray],
        extra: Sequence[str],
        start: str | None = None,
        end: str | None = None,
    ) -> dict[str, np.ndarray]:
        first = 0 if start is None else self._number(start)
        last = len(self.layers) - 1 if end is None else self._number(end)
        for name in extra:
            self._blob(name)
        if inputs:
            self._set(inputs, self.inputs, "inputs", lambda name: self.blobs[name].data)
        self._forward(first, last)
        wanted = self.outputs if end is None else self._net.program.layers[last].tops
        found = {shown_blob(name): self._own_blobs[name].data for name in wanted}
        return self._given(found | {name: self.blobs[name].data for name in extra})

    def backward(
        self,
        diffs: Iterable[str] | None = None,
        start: str | None = None,
        end: str | None = None,
        **kwargs: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """Run backward from ``start`` down to ``end``; diffs of outputs by name are set first.

        Returns the diffs of the net's inputs (or of the bottoms of ``end``), and of ``diffs``.
        """
        return self._run_backward(kwargs, list(diffs or ()), start, end)

    @exclusive
    def _run_backward(
        self,
        seeds: Mapping[str, np.ndarray],
        extra: Sequence[str],
        start: str | None = None,
        end: str | None = None,
    ) -> dict[str, np.ndarray]:
        first = len(self.layers) - 1 if start is None else self._number(start)
        last = 0 if end is None else self._number(end)
        for name in extra:
            self._blob(name)
        if seeds:
            self._set(seeds, self.outputs, "outputs", lambda name: self.blobs[name].diff)
        self._backward(first, last)
        wanted = self.inputs if end is None else self._net.program.layers[last].bottoms
        names = dict.fromkeys([*wanted, *extra])
        return self._given({name: self.blobs[name].diff for name in names})

    def _given(self, views: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Views, or copies where another thread's next pass would change them."""
        if not self._use.shared:
            return views
        return {name: view.copy() for name, view in views.items()}

    def _set(
        self,
        arrays: Mapping[str, np.ndarray],
        expected: Sequence[str],
        what: str,
        target: Callable[[str], np.ndarray],
    ) -> None:
        if set(arrays) != set(expected):
            raise RoasteryError(
                f"the net's {what} are {sorted(expected)}; given {sorted(arrays)}",
                hint="give all of them or none",
            )
        views = {name: target(name) for name in arrays}
        for name, array in arrays.items():
            have, came = views[name].shape, np.shape(array)
            if have[:1] != came[:1]:
                raise RoasteryError(
                    f"'{name}' has a batch of {have[:1]} in the net, the array has {came[:1]}",
                    hint=f"net.blobs['{name}'].reshape(...) takes another batch size",
                )
            try:
                np.broadcast_to(array, have)
            except ValueError:
                raise RoasteryError(
                    f"'{name}' has shape {list(have)}, the array {list(came)}",
                    hint=f"net.blobs['{name}'].reshape(...) takes another shape",
                ) from None
        for name, array in arrays.items():
            views[name][...] = array

    @exclusive
    def _forward(self, first: int, last: int) -> float:
        """Run layers by number, the last included; returns their weighted loss."""
        self._reshaped.check()
        with own_exceptions():
            return self._net.forward_loss(first, last)

    @exclusive
    def _backward(self, first: int, last: int) -> None:
        """Run layers backward by number, from the higher one."""
        self._reshaped.check()
        with own_exceptions():
            self._net.backward(first, last)
        if self._nccl is not None:
            self._nccl._after_backward(first, last)

    @property
    def _batch_size(self) -> int:
        return next(iter(self.blobs.values())).shape[0]

    @exclusive
    def forward_all(
        self, blobs: Iterable[str] | None = None, **kwargs: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Forward over inputs of any length, batch by batch; returns arrays, not views."""
        extra, size = list(blobs or ()), self._batch_size
        collected = Collected()
        for batch in batches(kwargs, size):
            collected.add(self._run_forward(batch, extra))
        return collected.joined(len(next(iter(kwargs.values()))), size)

    @exclusive
    def forward_backward_all(
        self,
        blobs: Iterable[str] | None = None,
        diffs: Iterable[str] | None = None,
        **kwargs: np.ndarray,
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Forward and backward over inputs, and diffs of outputs, of any length.

        Returns outputs and diffs of inputs, batches joined.
        """
        size = self._batch_size
        unknown = set(kwargs) - set(self.inputs) - set(self.outputs)
        if unknown:
            raise RoasteryError(f"no input or output is called {', '.join(sorted(unknown))}")
        ahead = list(batches({n: kwargs[n] for n in self.inputs if n in kwargs}, size))
        behind = list(batches({n: kwargs[n] for n in self.outputs if n in kwargs}, size))
        extra_blobs, extra_diffs = list(blobs or ()), list(diffs or ())
        outs, grads = Collected(), Collected()
        for number in range(max(len(ahead), len(behind))):
            fed = ahead[number] if number < len(ahead) else {}
            seeds = behind[number] if number < len(behind) else {}
            outs.add(self._run_forward(fed, extra_blobs))
            grads.add(self._run_backward(seeds, extra_diffs))
        rows = len(next(iter(kwargs.values()))) if kwargs else None
        return outs.joined(rows, size), grads.joined(rows, size)

    @exclusive
    def reshape(self) -> None:
        """Carry new shapes of the inputs through the net."""
        with own_exceptions():
            self._net.reshape()

    @exclusive
    def set_input_arrays(self, data: np.ndarray, labels: np.ndarray) -> None:
        """Give a net whose first layer is MemoryData what it reads: float32 arrays, not copied.

        Args:
            data: (n, channels, height, width); n is a multiple of the batch size.
            labels: n values, of shape (n,) or (n, 1, 1, 1).
        """
        first = self._net.program.layers[0]
        if not isinstance(first.source, MemoryDataConfig):
            raise RoasteryError(
                f"set_input_arrays is for nets whose first layer is MemoryData; this one's is "
                f"{first.type}",
                location=first.location,
            )
        for name, array in (("data", data), ("labels", labels)):
            if array.dtype != np.float32 or not array.flags.c_contiguous:
                raise RoasteryError(
                    f"{name} is {array.dtype}"
                    f"{'' if array.flags.c_contiguous else ' and not C-contiguous'}",
                    hint="np.ascontiguousarray(a, np.float32), kept by you, is what Caffe takes",
                )
        source: Any = self._net.feeds[first.key]
        source.reset(data, labels)

    # --- callbacks --------------------------------------------------------------------

    def before_forward(self, call: Callable[[int], Any]) -> None:
        """Call a function with the number of each layer before it runs forward."""
        self._net.before_forward.append(Callback(call, self._net, "before_forward"))

    def after_forward(self, call: Callable[[int], Any]) -> None:
        """Call a function with the number of each layer after it ran forward."""
        self._net.after_forward.append(Callback(call, self._net, "after_forward"))

    def before_backward(self, call: Callable[[int], Any]) -> None:
        """Call a function with the number of each layer before it runs backward."""
        self._net.before_backward.append(Callback(call, self._net, "before_backward"))

    def after_backward(self, call: Callable[[int], Any] | NCCL) -> None:
        """Call a function with the number of each layer after it ran backward.

        An :class:`roastery.caffe.NCCL` averages parameters' diffs over all ranks, each as soon as
        it is complete.
        """
        if isinstance(call, NCCL):
            call._watch(self)
            self._nccl = call
            return
        self._net.after_backward.append(Callback(call, self._net, "after_backward"))

    # --- weights ----------------------------------------------------------------------

    @exclusive
    def copy_from(self, path: PathLike) -> None:
        """Copy weights of layers with the same names from a .caffemodel or .caffemodel.h5."""
        self._copy_from(WeightsFile(path))

    def _copy_from(self, stored: WeightsFile) -> None:
        self._reshaped.check()
        log = modes.net_log()
        ignored = stored.load(self._net.program, self._store, log)
        if ignored:  # each has a line of its own, but as INFO
            log.warning(
                f"{len(ignored)} layer(s) of '{os.fspath(stored.path)}' have weights that no layer "
                f"of the net takes: {', '.join(repr(name) for name in ignored[:_NAMED])}"
                + (" ..." if len(ignored) > _NAMED else "")
            )

    @exclusive
    def load_hdf5(self, path: PathLike) -> None:
        """Copy weights from a .caffemodel.h5."""
        self.copy_from(path)

    @exclusive
    def save(self, path: PathLike) -> None:
        """Write a .caffemodel."""
        self._save(path, "BINARYPROTO")

    @exclusive
    def save_hdf5(self, path: PathLike) -> None:
        """Write a .caffemodel.h5."""
        self._save(path, "HDF5")

    def _save(self, path: PathLike, format: WeightsFormat) -> None:
        save_weights(
            path,
            self._built.message,
            self._net.program,
            self._store,
            format,
            reshaped=self._reshaped.data(),
        )

    @exclusive
    def share_with(self, other: Net) -> None:
        """Use the parameters of another net, layer by layer by name; diffs stay apart."""
        for net in (self, other):
            net._reshaped.check()
        shared, _ = shared_buffers(self._net.program, other._net.program, other._store)
        self._store.share(shared)
        for name, buffer in shared.items():
            self._variables[name].data = buffer
        self._net.rebind()

    @property
    def shares(self) -> int:
        """How often parameters of another net took the place of its own."""
        return self._store.shares

    @exclusive
    def clear_param_diffs(self) -> None:
        """Set all parameter diffs to zero; backward only adds to them."""
        self._store.clear_diffs()
