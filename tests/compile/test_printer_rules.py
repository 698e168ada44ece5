"""Every op that a GPU runs has a rule by which it is printed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from compiler.kernel import Launch
from compiler.kernels.emitter import RULES
from compiler.kernels.folds import KINDS
from compiler.kernels.products import VIEWS
from compiler.kernels.schedules.single import SINGLES
from compiler.options import CompileOptions
from compiler.triton.lower import lower_node
from ir.build import Builder
from ir.graph import Node, Value
from ir.op import OPS, Op, Property
from ir.ops.fusion import Fused
from ir.ops.loop import StepLoop
from ir.types import TensorType
from tests.support.op_cases import all_cases

CASES = all_cases()
ELSEWHERE = Property.HOST | Property.EFFECT | Property.DYNAMIC


def has_rule(op: Op) -> bool:
    """Whether an op can be printed, as far as what it says of itself asks for it."""
    if isinstance(op, Fused | StepLoop) or op.properties & (ELSEWHERE | Property.VIEW):
        return True
    if op.properties & Property.CONTRACTION:
        return type(op) in VIEWS
    if op.fold is not None:
        return op.fold.kind in KINDS
    if op.properties & (Property.POINTWISE | Property.MOVEMENT | Property.LOCAL):
        return type(op) in RULES
    return type(op) in SINGLES


def test_every_op_has_a_printer_rule() -> None:
    """Of each op one record stands for all (another test asks that each has one)."""
    missing = {c.op.name for c in CASES if not has_rule(c.op)}
    assert not missing, f"no rule in compiler/kernels/rules for {', '.join(missing)}"
    assert set(OPS) == {c.op.name for c in CASES}


@dataclass(frozen=True)
class Unprintable(Op):
    name = "unprintable"
    properties = Property.POINTWISE

    def infer(self, inputs: list[TensorType]) -> tuple[TensorType, ...]:  # type: ignore[override]
        return tuple(inputs)

    def reference(self, inputs, results):  # type: ignore[no-untyped-def]
        return inputs


class Multiplies(Unprintable):
    properties = Property.CONTRACTION


class Alone(Unprintable):
    properties = Property.REDUCTION


def kernels(op: Op, *types: TensorType) -> list[Launch]:
    """Of a group of this op alone."""
    b = Builder("group")
    results = b.emit_all(op, *(b.input(f"x{i}", t) for i, t in enumerate(types)))
    for i, value in enumerate(results):
        b.output(f"y{i}", value)
    inputs = tuple(Value(f"in{i}", t) for i, t in enumerate(types))
    outputs = tuple(Value(f"out{i}", v.type) for i, v in enumerate(results))
    return lower_node(Node(Fused("group", "single", b.finish()), inputs, outputs), CompileOptions())


@pytest.mark.parametrize("kind", [Unprintable, Multiplies, Alone])
def test_an_op_without_a_rule_is_told_of(kind: type[Unprintable]) -> None:
    assert not has_rule(kind())
    with pytest.raises(NotImplementedError, match="unprintable"):
        kernels(kind(), TensorType((2, 3)))
