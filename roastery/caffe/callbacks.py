"""Functions of the user's that are called around layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ir.errors import RoasteryError
from runtime.net import PartitionedNet
from runtime.python.layer_notes import add_note, shown


class Callback:
    """A user's function; what it raises gets a note that names the layer it was called for."""

    def __init__(self, call: Callable[[int], Any], net: PartitionedNet, when: str) -> None:
        """``when``: the method that took it, such as ``before_forward``."""
        self._call = call
        self._net = net
        self._when = when

    def __call__(self, number: int) -> None:
        try:
            self._call(number)
        except BaseException as error:
            place = self._net.program.layers[number].location
            told = RoasteryError(f"{self._when} callback: {shown(error)}", location=place)
            add_note(error, str(told))
            raise
