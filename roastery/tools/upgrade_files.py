"""Old files in today's format. Caffe: tools/upgrade_*_proto_*.cpp."""

from __future__ import annotations

import os
from pathlib import Path

from frontends.caffemodel import read_net_and_weights, write_weights
from frontends.lowering.known_layers import load_layers
from frontends.prototxt import Note, parse_file, to_text
from frontends.upgrade import (
    net_needs_upgrade,
    solver_needs_upgrade,
    upgrade_net,
    upgrade_solver,
)

from ..files.atomic_file import atomic_write

PathLike = str | os.PathLike[str]


def upgrade_net_text(source: PathLike, target: PathLike) -> list[Note]:
    """Write a net's prototxt in the current format; returns what was changed."""
    load_layers()
    net, notes = parse_file(Path(source), "NetParameter"), [_current(source)]
    if net_needs_upgrade(net):
        net, notes = upgrade_net(net)
    _write(target, to_text(net))
    return notes


def upgrade_net_binary(source: PathLike, target: PathLike) -> list[Note]:
    """Write a .caffemodel in the current format, weights included; returns what was changed."""
    load_layers()
    net, weights = read_net_and_weights(source)
    told, notes = list(net.notes), [_current(source)]
    if net_needs_upgrade(net):
        net, notes = upgrade_net(net)
    notes = told + notes
    write_weights(
        target,
        net,
        [(layer.name, layer.blobs) for layer in weights],
        legacy=[(layer.name, layer.legacy) for layer in weights],
    )
    return notes


def upgrade_solver_text(source: PathLike, target: PathLike) -> list[Note]:
    """Write a solver's prototxt in the current format; returns what was changed."""
    solver = parse_file(Path(source), "SolverParameter")
    notes = [] if solver_needs_upgrade(solver) else [_current(source)]
    upgraded, changes = upgrade_solver(solver)
    _write(target, to_text(upgraded))
    return [*notes, *changes]


def _current(source: PathLike) -> Note:
    return Note(f"{os.fspath(source)} is in the current format already")


def _write(target: PathLike, text: str) -> None:
    with atomic_write(target, "w", errors="surrogateescape") as file:
        file.write(text)
