"""What layers of a net take, as a table and as data for programs: whoever counted it.

Numbers may be forms over sizes, as in an artifact; :meth:`NetCount.at` makes numbers of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ir.byte_size import byte_size
from ir.printable import printable
from ir.program import shown_blob
from ir.size import Evaluation
from ir.text_table import text_table

Shape = tuple[int, ...]

_SHOWN = 2  # shapes in a cell of the table
_NUMBERS = (4, 5, 6)
"""Columns of the table: parameters, multiply-adds, bytes."""


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """Pixels along each axis of the image, height before width; None: all of them."""

    sizes: tuple[int | None, ...]

    def __str__(self) -> str:
        """``11x11``, or ``whole``."""
        if all(size is None for size in self.sizes):
            return "whole"
        return "x".join("whole" if size is None else str(size) for size in self.sizes)

    def told(self) -> list[int | str] | str:
        """``[11, 11]``, or ``"whole"``."""
        if all(size is None for size in self.sizes):
            return "whole"
        return ["whole" if size is None else size for size in self.sizes]


@dataclass(frozen=True, slots=True)
class LayerCount:
    """What a layer takes in a forward pass, at the sizes at hand.

    Attributes:
        key: of the layer in its net: the name, or ``name@2`` for the second of that name.
        bottoms, tops: shapes, in the order of ``bottom_names`` and ``top_names``.
        parameters: elements of its own blobs, statistics too. shared: of blobs that are an earlier
            layer's, which are not counted again.
        multiply_adds: see :func:`roastery.counting.multiply_adds`.
        nbytes: of the tops that are memory of their own: not in place, no view of a bottom.
        field: the receptive field of its first top; None: it depends on no image.
    """

    key: str
    name: str
    type: str
    bottom_names: tuple[str, ...]
    top_names: tuple[str, ...]
    bottoms: tuple[Shape, ...]
    tops: tuple[Shape, ...]
    parameters: int
    parameter_bytes: int
    shared: int
    multiply_adds: int
    nbytes: int
    field: ReceptiveField | None

    def at(self, sizes: Evaluation) -> LayerCount:
        """Where the symbols of sizes have other values; the field stays."""
        bottoms, tops = (
            tuple(tuple(map(sizes.size, shape)) for shape in shapes)
            for shapes in (self.bottoms, self.tops)
        )
        return replace(
            self,
            bottoms=bottoms,
            tops=tops,
            multiply_adds=sizes.size(self.multiply_adds),
            nbytes=sizes.size(self.nbytes),
        )

    def told(self) -> dict[str, Any]:
        """The same for programs; shapes with the blobs' names."""
        return {
            "name": self.name,
            "type": self.type,
            "bottoms": _named(self.bottom_names, self.bottoms),
            "tops": _named(self.top_names, self.tops),
            "parameters": self.parameters,
            "shared_parameters": self.shared,
            "parameter_bytes": self.parameter_bytes,
            "multiply_adds": self.multiply_adds,
            "bytes": self.nbytes,
            "receptive_field": None if self.field is None else self.field.told(),
        }


def _named(names: Sequence[str], shapes: Sequence[Shape]) -> list[dict[str, Any]]:
    return [
        {"name": shown_blob(name), "shape": list(shape)}
        for name, shape in zip(names, shapes, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class NetCount:
    """The layers of a net, without the Split layers that Caffe inserts."""

    name: str
    phase: str
    layers: tuple[LayerCount, ...]

    def at(self, values: Mapping[str, int]) -> NetCount:
        """Where the symbols of sizes have these values, by their names."""
        sizes = Evaluation(values)
        return replace(self, layers=tuple(layer.at(sizes) for layer in self.layers))

    @property
    def parameters(self) -> int:
        """Elements of all parameters, each counted once."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def parameter_bytes(self) -> int:
        """Of all parameters, each counted once."""
        return sum(layer.parameter_bytes for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        """Of a forward pass."""
        return sum(layer.multiply_adds for layer in self.layers)

    @property
    def nbytes(self) -> int:
        """Of all tops that are memory of their own."""
        return sum(layer.nbytes for layer in self.layers)

    def told(self) -> dict[str, Any]:
        """The same for programs, with sums."""
        return {
            "net": self.name,
            "phase": self.phase,
            "layers": [layer.told() for layer in self.layers],
            "totals": {
                "layers": len(self.layers),
                "parameters": self.parameters,
                "parameter_bytes": self.parameter_bytes,
                "multiply_adds": self.multiply_adds,
                "bytes": self.nbytes,
            },
        }

    def __str__(self) -> str:
        """A table, and sums below it."""
        head = ("layer", "type", "bottom", "top", "parameters", "multiply-adds", "bytes", "field")
        rows = [head, *map(_cells, self.layers)] if self.layers else []
        many = "" if len(self.layers) == 1 else "s"
        return (
            (text_table(rows, numbers=_NUMBERS) if rows else "")
            + f"{printable(self.name) or 'net'}, phase {self.phase}: {len(self.layers)} "
            f"layer{many}, {self.parameters:,} parameters ({byte_size(self.parameter_bytes)}), "
            f"{self.multiply_adds:,} multiply-adds, tops of {byte_size(self.nbytes)}\n"
        )


def _cells(layer: LayerCount) -> tuple[str, ...]:
    parameters = f"{layer.parameters:,}" if layer.parameters else ""
    if layer.shared:
        parameters += f"{' and ' if parameters else ''}{layer.shared:,} shared"
    return (
        layer.name,
        layer.type,
        _few(layer.bottoms),
        _few(layer.tops),
        parameters,
        f"{layer.multiply_adds:,}" if layer.multiply_adds else "",
        f"{layer.nbytes:,}" if layer.nbytes else "",
        str(layer.field or ""),
    )


def _few(shapes: Sequence[Shape]) -> str:
    """The first shapes: a Concat may have a hundred bottoms."""
    shown = " ".join(map(shape_cell, shapes[:_SHOWN]))
    return shown if len(shapes) <= _SHOWN else f"{shown} and {len(shapes) - _SHOWN} more"


def shape_cell(shape: Shape) -> str:
    """``1x3x224x224``; of one number ``scalar``."""
    return "x".join(map(str, shape)) or "scalar"
