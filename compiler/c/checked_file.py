"""A file of a kernel that compiles to a program: it holds the kernel against the reference.

Operands are drawn, or stand in the file; some elements of what the reference makes of them do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from compiler.kernel import Launch, Parameter, Scratch
from ir.graph import Node, Value
from ir.graph_sizes import Substitution
from ir.interpret import run_node
from ir.layout_numpy import array_of, memory_of
from ir.narrow import widened
from ir.printable import printable
from ir.types import TensorType

from .drawn import drawn
from .printer import c_comment
from .support import support

TOLERANCE = 1e-4
"""Of an error, relative to the largest element of a result."""

OperandsKnown = Mapping[int, np.ndarray]
"""Operands by their numbers; the others are drawn."""

_MOST = 128  # elements of a result that are compared
_FUNCTION = re.compile(r"^void (\w+)\(.*?^\}\n", re.MULTILINE | re.DOTALL)
_C_TYPES = {"f32": "float", "i32": "int32_t", "u32": "uint32_t", "bool": "bool8"}
_C_TYPES |= {"f16": "uint16_t", "bf16": "uint16_t"}


def checked_file(
    node: Node,
    launches: Sequence[Launch],
    number: int,
    at: Substitution,
    known: OperandsKnown = MappingProxyType({}),
) -> str:
    """The file of one of the kernels that compute a group.

    Args:
        node: the group, whose types may hold symbols. at: what these are.
        launches: all that compute it; ``number`` is that of the kernel.
    """
    texts = [launch.readable() for launch in launches]
    others = [_function(text)[0] for i, text in enumerate(texts) if i != number]
    own = _function(texts[number])
    kernels = [_function(text)[1] for text in texts]
    return "\n".join(
        [
            texts[number][: own.start()],
            *others,
            own[0],
            check_support(),
            check_function("check", node, launches, kernels, at, known),
            "int main(void) { return check(); }",
            "",
        ]
    )


def check_support() -> str:
    """What checks are made of; once before them."""
    return f"#define TOLERANCE {TOLERANCE}\n{support('check.h')}"


def _function(text: str) -> re.Match[str]:
    """The last one of a text: the kernel, and its name."""
    return list(_FUNCTION.finditer(text))[-1]


def check_function(
    name: str,
    node: Node,
    launches: Sequence[Launch],
    kernels: Sequence[str],
    at: Substitution,
    known: OperandsKnown = MappingProxyType({}),
) -> str:
    """A C function that runs launches and gives 1 where a result is wrong.

    ``kernels``: the functions that they call.
    """
    check = _Check(at.node(node), known)
    names = (*check.inputs, *check.outputs)
    memory: dict[Value | Scratch, str] = dict(
        zip((*node.inputs, *node.outputs), names, strict=True)
    )
    lines = [*check.operands(), *check.results()]
    for i, (launch, kernel) in enumerate(zip(launches, kernels, strict=True)):
        for argument in launch.arguments:
            if isinstance(argument, Scratch) and argument not in memory:
                memory[argument] = f"scratch{argument.number}"
                nbytes = -(-at.number(argument.nbytes) // 64) * 64
                lines.append(f"void *{memory[argument]} = memory({nbytes});")
        given = [
            _given(parameter, memory[a] if isinstance(a, Value | Scratch) else at.number(a))
            for parameter, a in zip(launch.kernel.parameters, launch.arguments, strict=True)
        ]
        across, down, _ = map(at.number, launch.grid)
        lines.append(f"const kernel_argument given{i}[] = {{{', '.join(given)}}};")
        lines.append(f"{kernel}(given{i}, 0, {across * down}, {across});")
    lines += ["int wrong = 0;", *check.comparisons()]
    lines += [f"free({name});" for name in memory.values()]
    body = "\n".join(f"    {line}" for line in [*lines, "return wrong;"])
    return f"static int {name}(void) {{\n{body}\n}}\n"


def _given(parameter: Parameter, value: Any) -> str:
    if parameter.kind == "pointer":
        return f"{{.pointer = {value}}}"
    return f"{{.number = {_real(value)}}}" if parameter.kind == "f32" else f"{{.size = {value}}}"


def _real(value: float) -> str:
    if np.isfinite(value):
        return repr(float(value))
    return "NAN" if np.isnan(value) else "INFINITY" if value > 0 else "-INFINITY"


class _Check:
    """A node of plain numbers with its operands, and the names of its values in C."""

    def __init__(self, node: Node, known: OperandsKnown) -> None:
        self.node = node
        self.inputs = [f"operand{i}" for i in range(len(node.inputs))]
        self.outputs = [f"result{i}" for i in range(len(node.outputs))]
        self._known = known
        self._positive = False
        with np.errstate(all="ignore"):
            self._expected = self._reference()
            if not all(np.isfinite(array).all() for array in self._expected):
                self._positive = True  # where results are numbers more often
                self._expected = self._reference()

    def _reference(self) -> list[np.ndarray]:
        operands = [self._operand(i, value.type) for i, value in enumerate(self.node.inputs)]
        values = zip(operands, self.node.inputs, strict=True)
        numbers = [widened(a, v.type.dtype) for a, v in values]
        wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in numbers]
        results = zip(run_node(self.node, wide), self.node.outputs, strict=True)
        return [np.asarray(widened(result, v.type.dtype), np.float64) for result, v in results]

    def _operand(self, number: int, type: TensorType) -> np.ndarray:
        if number in self._known:
            return self._known[number].astype(type.dtype.numpy)
        return array_of(drawn(number, type.memory_size, type.dtype, self._positive), type)

    def operands(self) -> Iterable[str]:
        for i, (name, value) in enumerate(zip(self.inputs, self.node.inputs, strict=True)):
            if i not in self._known:
                yield self._drawn(name, i, value)
                continue
            type = value.type
            elements = memory_of(self._operand(i, type), type)
            spelled = _real if type.dtype.is_float else _whole
            yield f"static const {_C_TYPES[f'{type.dtype}']} known{i}[] = {{"
            yield from _table(map(spelled, elements), 12)
            yield f"{_pointer(name, value)} = copied_{type.dtype}(known{i}, {elements.size});"

    def results(self) -> Iterable[str]:
        """Memory in which something else lay before."""
        for i, (name, value) in enumerate(zip(self.outputs, self.node.outputs, strict=True)):
            yield self._drawn(name, len(self.inputs) + i, value)

    def _drawn(self, name: str, number: int, value: Value) -> str:
        type = value.type
        given = f"{number}, {type.memory_size}, {int(self._positive)}"
        return f"{_pointer(name, value)} = drawn_{type.dtype}({given});"

    def comparisons(self) -> Iterable[str]:
        found = zip(self.outputs, self.node.outputs, self._expected, strict=True)
        for i, (name, value, expected) in enumerate(found):
            places = _chosen(value.type)
            if not places.size:
                continue
            yield f"static const int64_t places{i}[] = {{"
            yield from _table(map(str, places), 12)
            yield f"static const double expected{i}[] = {{"
            yield from _table(map(_real, memory_of(expected, value.type)[places]), 5)
            shown = re.sub(r"[^\w./,:%{}\[\] -]", "_", repr(value), flags=re.ASCII)
            given = f'"{shown}", {name}, {places.size}, places{i}, expected{i}'
            yield f"wrong |= differs_{value.type.dtype}({given});"


def _pointer(name: str, value: Value) -> str:
    shown = c_comment(f"{printable(value.name)}: {value.type}")
    return f"{shown}\n    {_C_TYPES[f'{value.type.dtype}']} *{name}"


def _whole(value: Any) -> str:
    return str(int(value))


def _chosen(type: TensorType) -> np.ndarray:
    """Where memory holds elements that are compared: all, or the first, the last and others."""
    there = np.flatnonzero(memory_of(np.ones(type.shape, bool), type))
    if there.size <= _MOST:
        return there
    chosen = np.random.default_rng(0).choice(there.size, _MOST, replace=False)
    return there[np.unique([0, *chosen, there.size - 1])]


def _table(texts: Iterable[str], across: int) -> Iterable[str]:
    items = list(texts)
    for start in range(0, len(items), across):
        yield f"    {', '.join(items[start : start + across])},"
    yield "};"
