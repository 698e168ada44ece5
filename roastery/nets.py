"""Nets from files: parse, upgrade, choose the layers of a state, lower."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from frontends.lowering.net import lower_layers as lower_with_probe
from frontends.lowering.one_layer import LayerLowering
from frontends.lowering.registry import load_layers
from frontends.lowering.splits import insert_splits
from frontends.prototxt import Message, parse_text
from frontends.state_rules import NetState, layers_in_state
from frontends.upgrade import upgrade_net
from ir.program import NetProgram

from .probe import RuntimeProbe
from .prototxt_files import read_prototxt
from .python_permission import python_allowed

NetSource = str | os.PathLike[str] | Message


def read_net(source: NetSource) -> Message:
    """A NetParameter in the current form, from a prototxt file or a message.

    Its ``notes`` say what was ignored and what was upgraded.

    Raises RoasteryError for a missing file and for every mistake in it.
    """
    load_layers()  # layers that are not Caffe's declare their parameters when imported
    message = source if isinstance(source, Message) else read_prototxt(Path(source), "NetParameter")
    upgraded, notes = upgrade_net(message)
    upgraded.notes += notes
    return upgraded


def net_from_text(text: str, file: str = "<text>") -> Message:
    """A NetParameter in the current form, from prototxt text."""
    load_layers()
    return read_net(parse_text(text, "NetParameter", file=file))


def state_message(phase: str, *parts: Message) -> Message:
    """A NetState: the phase, then what further NetState messages say.

    A later phase or level wins and stages add up, as in Caffe's MergeFrom.
    """
    state = Message("NetState")
    state.set("phase", phase)
    for part in parts:
        for name in ("phase", "level"):
            if part.has(name):
                state.set(name, part[name], part.location_of(name))
        for stage in part.stage:
            state.add("stage", stage)
    return state


def flag_state(net: Message, phase: str, level: int, stages: Sequence[str]) -> Message:
    """The NetState that Caffe's tools make of their flags: always with level and stage.

    The net's own stages stay; its phase and level give way to the flags'.
    """
    state = state_message(phase)
    state.set("level", level)
    state.set("stage", [*net.state.stage, *stages] or [""])
    return state


def filtered(net: Message, state: Message) -> Message:
    """The net with the layers that a NetState admits, and the state in it."""
    result = net.copy()
    result.set("state", state)
    kept = layers_in_state(net, NetState(state.phase, state.level, tuple(state.stage)))
    result.clear("layer")
    for layer in kept:
        result.add("layer", layer.copy(), layer.location)
    return result


def with_splits(net: Message) -> Message:
    """A filtered net with the Split layers that lowering puts between."""
    result = net.copy()
    result.clear("layer")
    for layer in insert_splits(net.layer):
        result.add("layer", layer, layer.location)
    return result


def lower_layers(
    net: Message,
    phase: str,
    *,
    level: int = 0,
    stages: Sequence[str] = (),
    shapes: Mapping[str, Sequence[int]] | None = None,
    probe: RuntimeProbe | None = None,
    allow_python: bool | None = None,
) -> LayerLowering:
    """Lower with the runtime's probe: data layers and Python layers are looked at.

    Without a ``probe``, ``allow_python`` says whether Python layers may import modules that are
    neither installed nor on PYTHONPATH; see :mod:`roastery.python_permission`.
    """
    probe = probe or RuntimeProbe(allow_python=python_allowed(allow_python))
    return lower_with_probe(net, phase, level=level, stages=stages, shapes=shapes, probe=probe)


def lower(
    net: Message,
    phase: str,
    *,
    level: int = 0,
    stages: Sequence[str] = (),
    shapes: Mapping[str, Sequence[int]] | None = None,
    probe: RuntimeProbe | None = None,
    allow_python: bool | None = None,
) -> NetProgram:
    """As :func:`lower_layers`: the net as a whole."""
    lowered = lower_layers(
        net,
        phase,
        level=level,
        stages=stages,
        shapes=shapes,
        probe=probe,
        allow_python=allow_python,
    )
    return lowered.program
