"""From a net's message to a net that runs: filter, lower, open its data, bind it to a store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

from frontends.lowering.one_layer import LayerLowering
from frontends.prototxt import Message
from frontends.prototxt.note import Note
from ir.errors import RoasteryError
from ir.program import NetProgram
from ir.types import shape_text
from runtime.backend import Backend, batch_allocator
from runtime.buffers import Buffer
from runtime.data.prefetch import read_ahead
from runtime.data.source import DataSource, open_source
from runtime.executable import FusedNet
from runtime.layerwise import LayerwiseNet
from runtime.logging import CaffeLog
from runtime.solver.nets import RunnableNet
from runtime.store import Store

from . import nets
from .assumed import AssumingProbe, check_shape_names
from .data_notes import DataNote, collected_notes
from .labels import CheckedSource, label_checks
from .memory_check import check_memory
from .net_log import log_layers, log_net_text, log_rules
from .probe import RuntimeProbe
from .same_names import matched

Plan = Literal["fused", "layerwise"]


@dataclass
class BuiltNet:
    """A net that runs.

    Attributes:
        source: the whole upgraded net. state: the NetState it was filtered with.
        message: the net as it was lowered: filtered, with Split layers; what a snapshot describes.
        probe: knows the objects behind Python layers.
        unshared: layers of the net whose parameters it should share that it lacks.
    """

    source: Message
    state: Message
    message: Message
    program: NetProgram
    net: RunnableNet
    probe: RuntimeProbe
    unshared: Sequence[str] = ()

    @property
    def store(self) -> Store:
        return self.net.store


@dataclass
class NetBuilder:
    """What all nets of a run have in common."""

    backend: Backend
    log: CaffeLog
    plan: Plan = "fused"
    freeze: bool = False  # parameters do not change after the first forward pass
    allow_python: bool = False  # see roastery.python_permission
    _said: set[str] = field(default_factory=set)  # nets of one file have the same notes

    def build(
        self,
        net: Message,
        state: Message,
        seed: int,
        share: BuiltNet | None = None,
        *,
        shapes: Mapping[str, tuple[int, ...]] | None = None,
    ) -> BuiltNet:
        """Build a net for a NetState, with the log lines of Caffe.

        Args:
            net: an upgraded net.
            seed: of fillers, random layers and data.
            share: the net whose parameters this one uses, layer by layer by name.
            shapes: by blob, for a net that need not read its data: layers whose tops are among
                them get made-up values; None: every layer reads its data.

        Raises RoasteryError for every mistake in the net or its data.
        """
        self.say(net.notes)
        log_rules(self.log, net, state)
        chosen = nets.filtered(net, state)
        log_net_text(self.log, chosen)
        given = shapes or {}
        probe = RuntimeProbe(allow_python=self.allow_python)
        if shapes is not None:
            check_shape_names(chosen.layer, shapes)
            probe = AssumingProbe(probe, shapes, self.log.warning, derive=False)

        def lower(new: Mapping[str, Sequence[int]]) -> NetProgram:
            return _lower(net, state, probe, {**given, **new}).program

        with collected_notes():  # opening once more says everything again
            layers = _lower(net, state, probe, given)
        program = layers.program
        check_memory(program)
        message = nets.with_splits(chosen)
        shared, unshared = shared_buffers(program, share) if share is not None else ({}, [])
        store = Store(program.cells, seed, shared)
        notes: dict[str, list[DataNote]] = {}
        feeds = open_feeds(program, seed, notes, self.backend)
        log_layers(self.log, program, notes)
        runnable: RunnableNet
        if self.plan == "layerwise":
            runnable = LayerwiseNet(program, self.backend, store, feeds, layers.layer)
        else:
            runnable = FusedNet(
                program,
                self.backend,
                store,
                feeds,
                relower=lower,
                by_layer=lambda: LayerwiseNet(program, self.backend, store, None, layers.layer),
                freeze=self.freeze,
            )
        self.say(Note(remark, level="warning") for remark in program.notes)
        return BuiltNet(net, state, message, program, runnable, probe, unshared)

    def say(self, notes: Iterable[Note]) -> None:
        """Tell the user what was accepted but changed or ignored, each thing once in a run."""
        for note in notes:
            remark = str(note)
            if remark not in self._said:
                self._said.add(remark)
                (self.log.note if note.level == "info" else self.log.warning)(remark)


def _lower(
    net: Message, state: Message, probe: RuntimeProbe, shapes: Mapping[str, Sequence[int]]
) -> LayerLowering:
    return nets.lower_layers(
        net,
        state.phase,
        level=state.level,
        stages=tuple(state.stage),
        shapes=shapes,
        probe=probe,
    )


def open_feeds(
    program: NetProgram,
    seed: int,
    notes: dict[str, list[DataNote]] | None = None,
    backend: Backend | None = None,
) -> dict[str, DataSource]:
    """Data sources by the layers' keys: read ahead on threads, their labels checked.

    Args:
        notes: gets what the sources say while they are opened, by the layers' keys.
        backend: what reads the batches, which may have memory for them.
    """
    checks = label_checks(program)
    phase = cast(Literal["TRAIN", "TEST"], program.phase)
    feeds: dict[str, DataSource] = {}
    for layer in program.layers:
        if layer.source is None:
            continue
        with collected_notes() as said:
            source = open_source(layer.source, phase, seed)
        if notes is not None:
            notes[layer.key] = said
        depth = max(1, getattr(layer.source, "prefetch", 4))
        allocate = batch_allocator(backend, depth + 2) if backend is not None else None
        source = read_ahead(source, depth, allocate=allocate)
        mine = checks.get(layer.key)
        feeds[layer.key] = CheckedSource(source, mine) if mine else source
    return feeds


def shared_buffers(program: NetProgram, owner: BuiltNet) -> tuple[dict[str, Buffer], list[str]]:
    """Parameters that a net takes over from another by layer name, and layers that it lacks.

    Caffe: Net::ShareTrainedLayersWith.
    """
    shared: dict[str, Buffer] = {}
    missing = []
    for source, target in matched(owner.program.layers, program.layers):
        if target is None:
            missing.append(source.name)
            continue
        if len(target.cells) != len(source.cells):
            raise RoasteryError(
                f"layer '{source.name}' has {len(source.cells)} blob(s) in the train net and "
                f"{len(target.cells)} in this one, so they cannot be shared",
                location=target.location,
            )
        for index, (mine, theirs) in enumerate(zip(target.cells, source.cells, strict=True)):
            have, want = owner.program.cells[theirs].type, program.cells[mine].type
            if have.shape != want.shape:
                raise RoasteryError(
                    f"param {index} of layer '{source.name}' has shape {shape_text(have.shape)} in "
                    f"the train net and {shape_text(want.shape)} in this one, so it cannot be "
                    "shared",
                    location=target.location,
                    hint="layers of equal names share their parameters; rename one of them",
                )
            shared[mine] = owner.store.data[theirs]
    return shared, missing
