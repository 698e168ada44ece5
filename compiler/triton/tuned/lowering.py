"""Kernels by measured choices, where there are some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from compiler.kernel import Launch
from compiler.kernels.launch import Printed
from compiler.kernels.task import AsNumber
from compiler.options import CompileOptions
from ir.graph import Node
from ir.size import value_of

from ..lower import ways_of
from .entry import TunedEntry
from .key import group_key, kernels_digest

Find = Callable[[str], TunedEntry | None]


@dataclass(frozen=True, slots=True)
class TunedLowering:
    """A backend's :class:`compiler.pipeline.Lower`. What a table says is only taken where it is
    one of the choices that there are, and where their kernels are still those that were measured.

    ``find``: the entry of a key.
    """

    find: Find

    def __call__(
        self,
        node: Node,
        options: CompileOptions,
        number: AsNumber = value_of,
        known: Printed | None = None,
    ) -> list[Launch]:
        ways = ways_of(node, options, number)
        entry = self.find(group_key(node, options, number))
        if entry is not None and entry.choice in ways.choices:
            launches = ways.launches(entry.choice, known)
            if kernels_digest(launches) == entry.kernels:
                return launches
        return ways.launches(known=known)
