"""Rules by the ops that they express in ONNX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ir.graph import Node
from ir.op import Op

if TYPE_CHECKING:
    from .writer import Writer

Rule = Callable[["Writer", Node], Sequence[str]]
"""Emits nodes for a node of the IR, and says which tensors are its results: their names."""

RULES: dict[type[Op], Rule] = {}

HALVES: set[type[Op]] = set()
"""Ops whose nodes may compute in float16."""


def expresses(op: type[Op], half: bool = False) -> Callable[[Rule], Rule]:
    """Register how an op is expressed.

    Args:
        half: its nodes may compute in float16: runtimes have them, and few numbers are added up,
            or in float32. What only moves elements, and expressions, need not say so.
    """

    def register(function: Rule) -> Rule:
        if op in RULES:
            raise ValueError(f"{op.name} has two rules")
        RULES[op] = function
        if half:
            HALVES.add(op)
        return function

    return register
