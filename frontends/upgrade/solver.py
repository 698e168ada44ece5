"""Old fields of solvers, and the default of the snapshot prefix."""

from __future__ import annotations

import os
from pathlib import Path

from frontends.prototxt.message import Message
from frontends.prototxt.note import Note
from ir.errors import RoasteryError

_TYPES = {
    "SGD": "SGD",
    "NESTEROV": "Nesterov",
    "ADAGRAD": "AdaGrad",
    "RMSPROP": "RMSProp",
    "ADADELTA": "AdaDelta",
    "ADAM": "Adam",
}


def solver_needs_upgrade(solver: Message) -> bool:
    """Whether the solver's type is given in the old way."""
    return bool(solver.has("solver_type"))


def upgrade_solver(solver: Message) -> tuple[Message, list[Note]]:
    """The solver with `type` instead of `solver_type`, and what was changed.

    Raises:
        RoasteryError: both fields are set, or the type is another fork's.
    """
    result = solver.copy()
    if not result.has("solver_type"):
        return result, []
    place = result.location_of("solver_type")
    if result.has("type"):
        raise RoasteryError(
            "the solver has both `solver_type` (old) and `type`",
            location=place,
            hint="keep only `type`",
        )
    if result.solver_type not in _TYPES:
        raise RoasteryError(f"there is no solver {result.solver_type} in Caffe", location=place)
    result.set("type", _TYPES[result.solver_type], place)
    result.clear("solver_type")
    return result, [Note(f'solver_type became type: "{result.type}"', place)]


def fill_snapshot_prefix(solver: Message, path: str | os.PathLike[str]) -> list[Note]:
    """Give ``snapshot_prefix`` its default, in place.

    Args:
        solver: its prefix may be unset (it becomes the path of the solver file without
            extension) or name a directory (the file's stem is appended).
        path: the solver's file.
    """
    file = Path(path)
    place = solver.location_of("snapshot_prefix")
    if not solver.has("snapshot_prefix"):
        prefix = str(file.with_suffix(""))
        solver.set("snapshot_prefix", prefix, place)
        return [Note(f"snapshot_prefix is not set; snapshots go to {prefix}", place)]
    if os.path.isdir(solver.snapshot_prefix):
        prefix = os.path.join(solver.snapshot_prefix, file.stem)
        solver.set("snapshot_prefix", prefix, place)
        return [Note(f"snapshot_prefix is a directory; snapshots go to {prefix}", place)]
    return []
