"""Nodes and constants of an ONNX graph as they are made."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from ir.graph import Value
from ir.location import Location
from ir.printable import readable
from ir.size import Size
from ir.types import F32, DType

from .names import ModelNames
from .sizes import SizeNodes
from .types import ELEMENT_TYPES

LONG_FILL = 256
"""Constants of one number are written as that number from so many elements on."""


class Writer:
    """What rules write to.

    Rules name no tensors: they get the names of their operands (:meth:`of`) and of the results of
    each node that they emit, and return some of these. Tensors get the names of the values they
    are when a rule is done (:meth:`results`).

    Args:
        opset: of the default domain.
        sources: for each symbol of sizes the input, and its axis, that tells it.
        outer: the writer of the graph around this one, whose tensors can be read here.

    Attributes:
        nodes, initializers: what was made.
        names: of tensors and nodes.
        may_halve: whether float16 is asked for.
        half: whether what is emitted now is of float16 where the IR says f32. Operands are cast.
        shown: values that are outputs, which are float32 in the end.
        notes: what is to be told of the model.
    """

    def __init__(
        self,
        opset: int,
        sources: Mapping[str, tuple[str, int]] | None = None,
        outer: Writer | None = None,
    ) -> None:
        self.opset = opset
        self.outer = outer
        self.nodes: list[NodeProto] = []
        self.initializers: dict[str, TensorProto] = outer.initializers if outer else {}
        self.notes: dict[str, None] = outer.notes if outer else {}
        self.may_halve = False
        self.half = False
        self.shown: set[Value] = set()
        self._names: dict[Value, str] = {}
        self._halves: set[Value] = set()  # those of the names that are float16
        self._cast: dict[Value, str] = {}  # as the other of the two types
        self._arrays: dict[Value, np.ndarray] = {}
        self._literals: dict[tuple[Any, ...], str] = outer._literals if outer else {}
        self.names: ModelNames = outer.names if outer else ModelNames()
        self._temporary: set[str] = set()
        self._sizes: SizeNodes = outer._sizes if outer else SizeNodes(self, sources or {})
        self._views: dict[Value, Value] = {}
        self.read: set[Value] = set()

    # --- operands -----------------------------------------------------------------------

    def of(self, value: Value) -> str:
        """The tensor that holds a value, of the type that is asked for now."""
        if value not in self._names and value not in self._arrays:
            if self.outer is None:
                raise KeyError(f"%{value.name} is not made yet")
            return self.outer.of(value)
        name = self._names.get(value)
        if name is None:
            name = self._names[value] = self._initializer(value)
            if self.half and value.type.dtype is F32:
                self._halves.add(value)
        if value.type.dtype is not F32 or (value in self._halves) is self.half:
            return name
        if value not in self._cast:
            self._cast[value] = self._as_other(value, name)
        return self._cast[value]

    def _as_other(self, value: Value, name: str) -> str:
        """A value as float16, or as float32 if it is float16."""
        if value in self._arrays:
            return self._initializer(value)
        made = self.names.unique(f"{name}.{'half' if self.half else 'float'}")
        to = ELEMENT_TYPES[self.stored(F32)]
        self.nodes.append(helper.make_node("Cast", [name], [made], made, to=to))
        return made

    def name_last_cast(self, value: Value, name: str) -> None:
        """Give the cast of a value, which is the last node, another name for whoever asks next."""
        cast = self.nodes[-1]
        cast.output[0] = cast.name = self._cast[value] = name

    def stored(self, dtype: DType) -> DType:
        """The type of tensors that the IR says are of ``dtype``."""
        return DType.F16 if self.half and dtype is F32 else dtype

    def in_half(self, value: Value) -> bool:
        """Whether a value is held as float16."""
        return value in self._halves

    def array(self, value: Value) -> np.ndarray | None:
        """The numbers of a value that is a constant; None: it is none."""
        if value in self._arrays:
            return self._arrays[value]
        return self.outer.array(value) if self.outer and value not in self._names else None

    def plain(self, value: Value) -> Value:
        """What a constant was before it was given other shapes: the variable itself."""
        while value in self._views:
            value = self._views[value]
        return value

    def is_read(self, value: Value) -> bool:
        """Whether any node or output needs a value."""
        return value in self.read

    def set_array(self, value: Value, array: np.ndarray, view_of: Value | None = None) -> None:
        """Say that a value is a constant, which is written when it is read."""
        self._arrays[value] = array
        if view_of is not None:
            self._views[value] = view_of

    def flat(self, value: Value) -> str:
        """A value along one axis: the variable itself, where a constant is a view of one."""
        plain = self.plain(value)
        array = self.array(plain)
        if plain.type.rank == 1 or array is None:
            name = self.of(plain)
            return name if plain.type.rank == 1 else self.reshape(name, (value.type.size,))
        name = self.names.unique(plain.name)
        self.initializers[name] = numpy_helper.from_array(
            self._stored_array(array.reshape(-1)), name
        )
        return name

    def set_name(self, value: Value, name: str) -> None:
        """Say which tensor a value is."""
        self._names[value] = name
        if self.half and value.type.dtype is F32:
            self._halves.add(value)

    # --- nodes --------------------------------------------------------------------------

    def node(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Emit a node of one result; attributes that are None are left out."""
        return self.node_of(kind, inputs, 1, **attributes)[0]

    def node_of(self, kind: str, inputs: Sequence[str], count: int, **attributes: Any) -> list[str]:
        """Emit a node of ``count`` results."""
        names = [self._fresh() for _ in range(count)]
        given = {key: value for key, value in attributes.items() if value is not None}
        self.nodes.append(helper.make_node(kind, list(inputs), names, **given))
        return names

    def cast(self, name: str, dtype: DType) -> str:
        return self.node("Cast", [name], to=ELEMENT_TYPES[self.stored(dtype)])

    def whole(self, name: str) -> str:
        """As int64, which most nodes take for places."""
        return self.node("Cast", [name], to=TensorProto.INT64)

    def reduce(self, kind: str, name: str, axes: Sequence[int], keep: bool = True) -> str:
        """ReduceSum and its like; ``kind`` is what follows "Reduce"."""
        if kind == "Sum" or self.opset >= 18:
            return self.node(f"Reduce{kind}", [name, self.ints(axes)], keepdims=int(keep))
        return self.node(f"Reduce{kind}", [name], axes=list(axes), keepdims=int(keep))

    def reshape(self, name: str, shape: Sequence[int]) -> str:
        """Under another shape, whose extents may be sizes."""
        symbolic = [isinstance(d, Size) for d in shape]
        if sum(symbolic) == 1 and all(isinstance(d, Size) or d > 0 for d in shape):
            extents = self.ints([-1 if isinstance(d, Size) else d for d in shape])
            return self.node("Reshape", [name, extents])
        empty = any(not isinstance(d, Size) and d == 0 for d in shape)
        return self.node("Reshape", [name, self.shape(shape)], allowzero=1 if empty else None)

    def expand(self, name: str, shape: Sequence[int]) -> str:
        return self.node("Expand", [name, self.shape(shape)])

    def slice(self, name: str, axis: int, start: int, stop: int | None, step: int = 1) -> str:
        """Part of a tensor along an axis; ``stop`` None: to the end that ``step`` goes to."""
        end = self.ints([(1 << 62) * (1 if step > 0 else -1)]) if stop is None else None
        inputs = [name, self.shape([start]), end or self.shape([stop or 0]), self.ints([axis])]
        return self.node("Slice", inputs if step == 1 else [*inputs, self.ints([step])])

    def arange(self, extent: int, dtype: DType = DType.I32) -> str:
        """0, 1, ... in one axis."""
        if not isinstance(extent, Size):
            return self.constant(np.arange(extent, dtype=dtype.numpy))
        zero, one = (self.constant(np.int64(i)) for i in (0, 1))
        counted = self.node("Range", [zero, self.scalar(extent), one])
        return self.cast(counted, dtype)

    # --- numbers ------------------------------------------------------------------------

    def constant(self, array: Any) -> str:
        """A literal; equal ones are one tensor."""
        array = self._stored_array(np.asarray(array))
        key = array.dtype.str, array.shape, array.tobytes()
        name = self._literals.get(key)
        if name is None:
            name = self._literals[key] = self.names.unique("constant")
            self.initializers[name] = numpy_helper.from_array(array, name)
        return name

    def _stored_array(self, array: np.ndarray) -> np.ndarray:
        """Numbers as float16, where that is asked for; what is too large is its largest."""
        if not self.half or array.dtype != np.float32:
            return array
        most = np.finfo(np.float16).max
        with np.errstate(over="ignore"):
            return np.where(np.isfinite(array), np.clip(array, -most, most), array).astype(
                np.float16
            )

    def ints(self, values: Sequence[int]) -> str:
        """int64 numbers in one axis."""
        return self.constant(np.array(values, np.int64))

    def shape(self, extents: Sequence[int]) -> str:
        """int64 numbers in one axis, some of which may be sizes."""
        return self._sizes.shape(extents)

    def scalar(self, extent: int) -> str:
        """A size as an int64 of no axes."""
        return self._sizes.scalar(extent)

    def number(self, number: float, dtype: DType) -> str:
        """A number that may follow from sizes, of no axes."""
        return self._sizes.number(number, self.stored(dtype))

    def filled(self, shape: Sequence[int], number: float, dtype: DType) -> str:
        """A tensor of one number."""
        value = numpy_helper.from_array(np.array([number], self.stored(dtype).numpy), "value")
        return self.node("ConstantOfShape", [self.shape(shape)], value=value)

    # --- names --------------------------------------------------------------------------

    def results(
        self, first: int, values: Mapping[Value, str], names: Mapping[Value, str], place: Location
    ) -> None:
        """Give what was made since node ``first`` its names, and say whose it is.

        Args:
            values: the tensors that the values are.
            names: what they are to be called.
        """
        made = self.nodes[first:]
        exchange: dict[str, str] = {}
        for value, name in values.items():
            if name in self._temporary and name not in exchange:
                exchange[name] = self._name_for(value, names.get(value))
            self.set_name(value, exchange.get(name, name))
        text = described(place)
        stem = readable(place.layer) or "net"
        for name in [n for node in made for n in node.output if n in self._temporary]:
            exchange.setdefault(name, self.names.unique(f"{stem}.{self.names.number()}"))
        for node in made:
            node.doc_string = text
            node.name = self.names.unique(f"{stem}/{node.op_type}")
        self._rename(made, exchange)
        self._temporary.clear()

    def _name_for(self, value: Value, blob: str | None) -> str:
        """What a value's tensor is called. Values that are no blob leave a blob its name."""
        if self.half and value in self.shown and value.type.dtype is F32:
            return self.names.unique(f"{blob or value.name}.half")
        return self.names.unique(value.name) if blob is None else self.names.claim(blob)

    def _rename(self, nodes: Sequence[NodeProto], exchange: Mapping[str, str]) -> None:
        for node in nodes:
            for names in (node.input, node.output):
                for i, name in enumerate(names):
                    if name in exchange:
                        names[i] = exchange[name]
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    self._rename(attribute.g.node, exchange)

    def _fresh(self) -> str:
        name = f"\0{self.names.number()}"
        self._temporary.add(name)
        return name

    def _initializer(self, value: Value) -> str:
        array = self._stored_array(np.asarray(self._arrays[value], order="C"))
        name = self.names.unique(value.name)
        if array.size >= LONG_FILL and (array == array.flat[0]).all():
            shape = self.ints(array.shape)
            number = numpy_helper.from_array(array.reshape(-1)[:1], "value")
            self.nodes.append(
                helper.make_node("ConstantOfShape", [shape], [name], name, value=number)
            )
            return name
        self.initializers[name] = numpy_helper.from_array(array, name)
        return name


def described(place: Location) -> str:
    """The layer and the line that a node is of; not the folder, which is that of who exports."""
    file = os.path.basename(place.file) or "<input>"
    where = f"{file}:{place.line}" if place.line else ""
    layer = f"layer '{place.layer}'" if place.layer else ""
    return readable(", ".join(part for part in (layer, where) if part))
