"""Which extents of a net's inputs may change, and under which names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from ir.errors import RoasteryError
from ir.program import NetProgram
from ir.size import Scope, form_of, symbol
from ir.types import TensorType

BATCH = "N"
_NAMES = {0: BATCH, 2: "H", 3: "W"}
_CHANNELS = 1


Lowered = TypeVar("Lowered")


def with_symbols(lower: Callable[[InputSizes], Lowered], most_rows: bool = False) -> Lowered:
    """What ``lower`` makes of sizes that may change; of numbers where it refuses those.

    It may for a layer that takes only numbers, or a batch of exactly one; else it refuses again,
    as it should.
    """
    try:
        return lower(InputSizes(most_rows=most_rows))
    except (RoasteryError, AssertionError, AttributeError, TypeError):
        return lower(InputSizes(fixed=True, most_rows=most_rows))


class InputSizes:
    """Symbols for the extents of a net's inputs.

    Extents of one axis that are equal today are one symbol. Channels are numbers; so are an empty
    axis, and one of extent 1 that is not the batch, of which layers make something else.

    Args:
        fixed: all extents are numbers.
        most_rows: of what only a run tells the number is the largest that there could be.
    """

    def __init__(self, fixed: bool = False, most_rows: bool = False) -> None:
        self.scope = Scope()
        self.most_rows = most_rows
        self._fixed = fixed
        self._known: dict[tuple[int, int], int] = {}  # by axis and extent
        self._told: dict[str, TensorType] = {}

    def shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """A shape with symbols."""
        return tuple(self._extent(axis, extent) for axis, extent in enumerate(shape))

    def _extent(self, axis: int, extent: int) -> int:
        if self._fixed or axis == _CHANNELS or extent < (2 if axis else 1):
            return extent
        if (axis, extent) not in self._known:
            name = _NAMES.get(axis, f"D{axis}")
            count = 1 + sum(a == axis for a, _ in self._known)
            name = name if count == 1 else f"{name}_{count}"
            made = self._known[axis, extent] = symbol(self.scope, name, extent)
            if axis:
                self.scope.require(form_of(made), ">=", 2)
        return self._known[axis, extent]

    def told(self, name: str, extent: int) -> int:
        """A number that came out of a run before, under the name by which lowering asks for it."""
        if self._fixed or extent < 1:
            return extent
        if name in self._told:
            return self._told[name].shape[0]
        made = symbol(self.scope, f"R{len(self._told) or ''}", extent)
        self._told[name] = TensorType((made,))
        return made

    def resolved(self, program: NetProgram, given: Mapping[str, tuple[int, ...]]) -> NetProgram:
        """The program at the sizes at hand, which can be had at others.

        Args:
            given: the shapes that the layers were given by name.
        """
        self.scope.close()
        if not self.scope.symbols:
            return program
        return program.with_sizes(self.scope, given, self._told)
