"""The weights of a net that is to be used, not trained: all of them are wanted."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ir.errors import RoasteryError
from ir.printable import printable
from ir.program import NetProgram
from runtime.logging import CaffeLog
from runtime.memory.store import Store

from .parameters import WeightsFile

_SHOWN = 5


def load_trained(
    path: str | os.PathLike[str], program: NetProgram, store: Store, log: CaffeLog
) -> None:
    """Copy parameters by the names of layers, and warn of those that the file lacks: to train them
    anew is what nobody exports a net for.

    Raises RoasteryError as :func:`load_weights` does, and where the file has none of the net's.
    """
    file = WeightsFile(path)
    given = file.gives(program)
    learning = [layer for layer in program.layers if layer.variables]
    lacking = [layer.name for layer in learning if not given.intersection(layer.variables)]
    if lacking and len(lacking) == len(learning):
        raise RoasteryError(
            f"'{os.fspath(path)}' has no weights for any layer of the net: all names differ",
            hint=f"layers with weights are, in the net, {_some(lacking)}; in the file, "
            f"{_some(file.layer_names()) or 'none'}",
        )
    file.load(program, store, log)
    if lacking:
        log.warning(
            f"'{os.fspath(path)}' has no weights for {_some(lacking)}: they are what fillers made"
        )


def _some(all_names: Iterable[str]) -> str:
    names = list(dict.fromkeys(all_names))
    shown = ", ".join(f"'{printable(name)}'" for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
