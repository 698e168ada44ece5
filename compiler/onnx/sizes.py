"""Sizes that follow from the shapes of inputs, as nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from onnx import NodeProto, TensorProto, helper

from ir.size import Real, Size, form_of
from ir.size.form import Atom, Floor, Form, Positive, least
from ir.types import DType

from .names import ModelNames
from .types import ELEMENT_TYPES
from .unsupported import Unsupported

_REAL_NODES = {"+": "Add", "-": "Sub", "*": "Mul", "/": "Div"}


class NodeList(Protocol):
    """What nodes are added to: a writer."""

    nodes: list[NodeProto]
    names: ModelNames

    def ints(self, values: Sequence[int]) -> str: ...
    def constant(self, array: Any) -> str: ...


class SizeNodes:
    """Each form is computed once, from int64 numbers of one axis and one element.

    Args:
        sources: for each symbol the input, and its axis, that tells it.
    """

    def __init__(self, writer: NodeList, sources: Mapping[str, tuple[str, int]]) -> None:
        self._writer = writer
        self._sources = sources
        self._made: dict[Any, str] = {}

    def shape(self, extents: Sequence[int]) -> str:
        """int64 numbers in one axis."""
        if not any(isinstance(d, Size) for d in extents):
            return self._writer.ints(extents)
        key = tuple(form_of(d) for d in extents)
        if key not in self._made:
            self._made[key] = self._shape(extents)
        return self._made[key]

    def _shape(self, extents: Sequence[int]) -> str:
        parts: list[str] = []
        known: list[int] = []
        for extent in extents:
            if not isinstance(extent, Size):
                known.append(extent)
                continue
            if known:
                parts.append(self._writer.ints(known))
                known = []
            parts.append(self._form(form_of(extent)))
        if known:
            parts.append(self._writer.ints(known))
        return parts[0] if len(parts) == 1 else self._node("Concat", parts, axis=0)

    def scalar(self, extent: int) -> str:
        """int64 of no axes."""
        if not isinstance(extent, Size):
            return self._writer.constant(np.int64(extent))
        return self._node("Squeeze", [self._form(form_of(extent)), self._writer.ints([0])])

    def number(self, number: float, dtype: DType) -> str:
        """Of no axes."""
        if not isinstance(number, Size | Real):
            return self._writer.constant(dtype.numpy.type(number))
        made = self.scalar(number) if isinstance(number, Size) else self._real(number)
        return self._node("Cast", [made], to=ELEMENT_TYPES[dtype])

    def _real(self, number: float) -> str:
        """In double precision, as Python computes it."""
        if isinstance(number, Real):
            operands = [self._real(number.left), self._real(number.right)]
            return self._node(_REAL_NODES[number.op], operands)
        if isinstance(number, Size):
            return self._node("Cast", [self.scalar(number)], to=TensorProto.DOUBLE)
        return self._writer.constant(np.float64(number))

    def _form(self, form: Form) -> str:
        if form not in self._made:
            self._made[form] = self._sum(form)
        return self._made[form]

    def _sum(self, form: Form) -> str:
        total = ""
        for product, count in form:
            term = ""
            for atom in product:
                factor = self._atom(atom)
                term = self._node("Mul", [term, factor]) if term else factor
            number = self._writer.ints([abs(count) if total else count])
            if not term:
                term = number
            elif abs(count) != 1 or (count < 0 and not total):
                term = self._node("Mul", [term, number])
            if total:
                total = self._node("Add" if count > 0 else "Sub", [total, term])
            else:
                total = term
        return total or self._writer.ints([0])

    def _atom(self, atom: Atom) -> str:
        if atom not in self._made:
            self._made[atom] = self._computed(atom)
        return self._made[atom]

    def _computed(self, atom: Atom) -> str:
        if isinstance(atom, Floor):
            above, below = self._form(atom.above), self._form(atom.below)
            if least(atom.above) < 0:  # nodes round towards zero
                rest = self._node("Mod", [above, below])
                above = self._node("Sub", [above, rest])
            return self._node("Div", [above, below])
        if isinstance(atom, Positive):
            return self._node("Max", [self._form(atom.form), self._writer.ints([0])])
        if atom.key not in self._sources:
            raise Unsupported(f"the size {atom.key} is no extent of an input")
        name, axis = self._sources[atom.key]
        shape = self._node("Shape", [name])
        return self._node("Gather", [shape, self._writer.ints([axis])], axis=0)

    def _node(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Under a name that stays, so that it can be read again."""
        name = self._writer.names.unique("size")
        self._writer.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name
