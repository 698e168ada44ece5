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


def expresses(op: type[Op]) -> Callable[[Rule], Rule]:
    """Register how an op is expressed."""

    def register(function: Rule) -> Rule:
        if op in RULES:
            raise ValueError(f"{op.name} has two rules")
        RULES[op] = function
        return function

    return register
