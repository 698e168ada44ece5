"""Nets from files: parse, upgrade, say which state is meant."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from frontends.dialect import asked_dialect, find_dialect, write_out
from frontends.lowering.known_layers import layer_types, load_layers
from frontends.prototxt import Message, parse_text
from frontends.upgrade import upgrade_net

from .prototxt_files import read_prototxt

NetSource = str | os.PathLike[str] | Message


def read_net(source: NetSource, dialect: str | None = None) -> Message:
    """A NetParameter in the current form, from a prototxt file or a message.

    Its ``notes`` say what was ignored and what was upgraded. ``dialect``: the fork whose text it
    is, where forks differ; default: what the command or the environment says.

    Raises RoasteryError for a missing file and for every mistake in it.
    """
    load_layers()  # layers that are not Caffe's declare their parameters when imported
    message = source if isinstance(source, Message) else read_prototxt(Path(source), "NetParameter")
    upgraded, notes = upgrade_net(message, mixed=True)
    upgraded.notes += notes
    spoken = find_dialect(dialect, "dialect") if dialect is not None else asked_dialect()
    if spoken is not None:
        upgraded.notes += write_out(upgraded, spoken)
    return upgraded


def has_inputs(net: Message) -> bool:
    """Whether a caller feeds the net, as one to deploy: in the form that :func:`read_net` gives."""
    kinds = layer_types()
    return any(layer.type in kinds and kinds[layer.type].fed for layer in net.layer)


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


def net_state(net: Message, phase: str, level: int = 0, stages: Sequence[str] = ()) -> Message:
    """The NetState that a call or the flags of a command ask for, with level and stage.

    Stages may be one text, as in ``--stage a,b``. The net's own stay; its phase and level give way.
    Caffe: Net's constructor for a file.
    """
    if isinstance(stages, str):
        stages = stages.split(",")
    state = state_message(phase)
    state.set("level", level)
    state.set("stage", [*net.state.stage, *map(str, stages)])
    return state
