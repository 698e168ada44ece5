"""How Triton reduces: start values, steps over tiles, the last step across a tile.

Partial results are tiles: every element of a tile gathers its own share over the loop,
and only at the end one value is made across the tile. That is fast and, as a tree, more
accurate than one running total.
"""

from __future__ import annotations

from dataclasses import dataclass

from ir.op import Op
from ir.ops.reduction import ArgExtreme, Reduce
from ir.types import I32, DType

from .spelling import TRITON_TYPES
from .writer import Writer

_START = {
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

    ``dtypes``: of its partial results (an ArgExtreme carries value and place).
    """

    op: Op
    dtype: DType

    @property
    def kind(self) -> str:
        assert isinstance(self.op, Reduce | ArgExtreme)
        return self.op.kind

    @property
    def is_place(self) -> bool:
        return isinstance(self.op, ArgExtreme)

    @property
    def dtypes(self) -> tuple[DType, ...]:
        return (self.dtype, I32) if self.is_place else (self.dtype,)

    @property
    def start(self) -> str:
        """The value that changes nothing."""
        return _START[self.kind, self.dtype.is_float]

    def begin(self, writer: Writer, tile: str, hint: str) -> tuple[str, ...]:
        """Declare the tiles that gather."""
        names = [writer.name("r", hint)]
        writer.line(f"{names[0]} = tl.full({tile}, {self.start}, {TRITON_TYPES[self.dtype]})")
        if self.is_place:
            names.append(writer.name("r", f"{hint}_place"))
            # No element has been met; an all-infinite row still needs a valid place.
            beyond = "2147483647" if self._first else "-1"
            writer.line(f"{names[1]} = tl.full({tile}, {beyond}, tl.int32)")
        return tuple(names)

    @property
    def _first(self) -> bool:
        assert isinstance(self.op, ArgExtreme)
        return self.op.tie == "first"

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
        order = "<" if self._first else ">"
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
        nearest, beyond = ("min", "2147483647") if self._first else ("max", "-1")
        text = f"tl.{nearest}(tl.where({hit}, {where}, {beyond}), {axis}, keep_dims=True)"
        return best, writer.let(text, "v", hint)
