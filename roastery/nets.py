"""Nets from files: parse, upgrade, lower."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from frontends.lowering.net import lower_net
from frontends.lowering.registry import load_layers
from frontends.prototxt import Message, parse_file, parse_text
from frontends.upgrade import upgrade_net
from ir.program import NetProgram

from .probe import RuntimeProbe

NetSource = str | os.PathLike[str] | Message


def read_net(source: NetSource) -> Message:
    """A NetParameter in the current form, from a prototxt file or a message.

    Raises RoasteryError for a missing file and for every mistake in it.
    """
    load_layers()  # layers that are not Caffe's declare their parameters when imported
    message = source if isinstance(source, Message) else parse_file(Path(source), "NetParameter")
    upgraded, _ = upgrade_net(message)
    return upgraded


def net_from_text(text: str, file: str = "<text>") -> Message:
    """A NetParameter in the current form, from prototxt text."""
    load_layers()
    return read_net(parse_text(text, "NetParameter", file=file))


def lower(
    net: Message,
    phase: str,
    *,
    level: int = 0,
    stages: Sequence[str] = (),
    shapes: Mapping[str, Sequence[int]] | None = None,
    probe: RuntimeProbe | None = None,
) -> NetProgram:
    """Lower with the runtime's probe: data layers and Python layers are looked at."""
    return lower_net(
        net, phase, level=level, stages=stages, shapes=shapes, probe=probe or RuntimeProbe()
    )
