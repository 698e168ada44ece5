"""How Triton reduces: start values, steps over tiles, the last step across a tile.

Partial results are tiles: every element of a tile gathers its own share over the loop,
and only at the end one value is made across the tile. That is fast and, as a tree, more
accurate than one running total.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ir.graph import Node
from ir.op import AxisFold
from ir.types import I32, DType

from .index import Affine
from .spelling import TRITON_TYPES
from .writer import Writer

START = {
    ("sum", True): "0.0",
    ("sum", False): "0",
    ("prod", True): "1.0",
    ("prod", False): "1",
    ("max", True): '-float("inf")',
    ("max", False): "-2147483648",
    ("min", True): 'float("inf")',
    ("min", False): "2147483647",
}
_NAN = ", propagate_nan=tl.PropagateNan.ALL"


@dataclass(frozen=True, slots=True)
class Fold:
    """One reduction of a kernel.

    ``dtypes``: of its partial results (one that yields a place carries value and place).
    """

    by: AxisFold
    dtype: DType

    @property
    def kind(self) -> str:
        return self.by.kind

    @property
    def is_place(self) -> bool:
        return bool(self.by.tie)

    @property
    def beyond(self) -> str:
        """The place that no element has: any other is nearer."""
        return "2147483647" if self.by.tie == "first" else "-1"

    @property
    def dtypes(self) -> tuple[DType, ...]:
        return (self.dtype, I32) if self.is_place else (self.dtype,)

    @property
    def start(self) -> str:
        """The value that changes nothing."""
        return START[self.kind, self.dtype.is_float]

    @classmethod
    def of(cls, node: Node) -> Fold:
        """The fold that a node of a reduction is."""
        assert node.op.fold is not None
        return cls(node.op.fold, node.inputs[0].type.dtype)

    def place(self, writer: Writer, coordinates: Sequence[Affine]) -> str:
        """The coordinate of an element along the folded axis."""
        (axis,) = self.by.axes
        text = writer.affine(coordinates[axis])
        return f"tl.cast({text}, tl.int32)" if writer.wide else text

    def begin(self, writer: Writer, tile: str, hint: str) -> tuple[str, ...]:
        """Declare the tiles that gather."""
        names = [writer.name("r", hint)]
        writer.line(f"{names[0]} = tl.full({tile}, {self.start}, {TRITON_TYPES[self.dtype]})")
        if self.is_place:
            names.append(writer.name("r", f"{hint}_place"))
            # No element has been met; an all-infinite row still needs a valid place.
            writer.line(f"{names[1]} = tl.full({tile}, {self.beyond}, tl.int32)")
        return tuple(names)

    def step(self, writer: Writer, gathered: tuple[str, ...], value: str, place: str) -> None:
        """Take in one tile; ``place`` is its coordinate along the reduced axis."""
        name = gathered[0]
        nan = _NAN if self.dtype.is_float else ""
        if self.kind == "sum":
            writer.line(f"{name} += {value}")
        elif self.kind == "prod":
            writer.line(f"{name} *= {value}")
        elif not self.is_place:
            function = "tl.maximum" if self.kind == "max" else "tl.minimum"
            writer.line(f"{name} = {function}({name}, {value}{nan})")
        else:
            self._step_place(writer, gathered, value, place)

    def _step_place(
        self, writer: Writer, gathered: tuple[str, ...], value: str, place: str
    ) -> None:
        name, where = gathered
        sign = ">" if self.kind == "max" else "<"
        if self.dtype.is_float:
            # NaN beats every number; of several the first or last counts like any tie.
            better = f"({value} {sign} {name}) | (({value} != {value}) & ({name} == {name}))"
            equal = f"(({value} == {name}) | (({value} != {value}) & ({name} != {name})))"
        else:
            better, equal = f"({value} {sign} {name})", f"({value} == {name})"
        order = "<" if self.by.tie == "first" else ">"
        better = writer.let(f"{better} | ({equal} & ({place} {order} {where}))", "m")
        writer.line(f"{name} = tl.where({better}, {value}, {name})")
        writer.line(f"{where} = tl.where({better}, {place}, {where})")

    def finish(
        self, writer: Writer, gathered: tuple[str, ...], axes: tuple[int, ...], hint: str
    ) -> tuple[str, ...]:
        """One result (kept with extent 1 along the tile's reduced axes)."""
        if self.is_place:
            return self._finish_place(writer, gathered, axes, hint)
        text = gathered[0]
        for axis in reversed(axes):
            text = self._across(writer, text, axis)
        return (writer.let(text, "v", hint),)

    def _across(self, writer: Writer, text: str, axis: int) -> str:
        if self.kind == "sum":
            return f"tl.sum({text}, {axis}, keep_dims=True)"
        if self.kind == "prod":
            return f"tl.reduce({text}, {axis}, {writer.helper('multiply')}, keep_dims=True)"
        if self.dtype.is_float:
            return f"{writer.helper(f'nan_{self.kind}')}({text}, {axis})"
        return f"tl.{self.kind}({text}, {axis}, keep_dims=True)"

    def _finish_place(
        self, writer: Writer, gathered: tuple[str, ...], axes: tuple[int, ...], hint: str
    ) -> tuple[str, ...]:
        (axis,) = axes
        name, where = gathered
        best = writer.let(self._across(writer, name, axis), "v", f"{hint}_value")
        hit = f"({name} == {best})"
        if self.dtype.is_float:
            hit += f" | (({name} != {name}) & ({best} != {best}))"
        nearest = "min" if self.by.tie == "first" else "max"
        text = f"tl.{nearest}(tl.where({hit}, {where}, {self.beyond}), {axis}, keep_dims=True)"
        return best, writer.let(text, "v", hint)
