"""Rules by which ops and layers are written; each stands in a file of its own.

A file below :mod:`compiler.pytorch.rules` is found by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ir.graph import Node
from ir.op import Op, Property
from ir.program import LayerInfo, Variable

from .body import Body
from .layout import PythonText

OpRule = Callable[[Any, Node, Body], None]
"""Writes a node: binds its results to what it computes of its operands."""


@dataclass(frozen=True)
class LayerView:
    """A layer with its part of the graph, and the variables that it reads, in their order.

    ``settings``: its message, where there is one: what it does in training is not in the graph of
    phase TEST.
    """

    info: LayerInfo
    nodes: tuple[Node, ...]
    variables: tuple[Variable, ...]
    settings: Any = None

    @property
    def ops(self) -> list[str]:
        return [node.op.name for node in self.nodes]

    def views(self) -> tuple[Node, ...]:
        """The nodes but those that only give a shape."""
        return tuple(node for node in self.nodes if not node.op.properties & Property.VIEW)


@dataclass(frozen=True)
class TorchModule:
    """A module that PyTorch has, or that a helper defines.

    Attributes:
        text: what makes it: ``nn.Conv2d(1, 20, 5)``.
        tensors: the names under which it has the layer's variables, in their order.
        helper: the file that defines it.
        bottoms: how many of the layer's bottoms it takes.
        before: what is done to the first of them, as a call of a method.
    """

    text: PythonText
    tensors: tuple[str, ...] = ()
    helper: str = ""
    bottoms: int = 1
    before: str = ""


LayerRule = Callable[[LayerView], TorchModule | None]
"""None: the layer asks for more than PyTorch's has, and is written op by op."""

OP_RULES: dict[type[Op], OpRule] = {}
LAYER_RULES: dict[str, LayerRule] = {}


def op_rule(*ops: type[Op]) -> Callable[[OpRule], OpRule]:
    """Decorator: how ops are written."""

    def registered(rule: OpRule) -> OpRule:
        for op in ops:
            if op in OP_RULES:
                raise ValueError(f"there are two rules for the op {op.name}")
            OP_RULES[op] = rule
        return rule

    return registered


def layer_rule(*types: str) -> Callable[[LayerRule], LayerRule]:
    """Decorator: how layers of these types are written where PyTorch has them."""

    def registered(rule: LayerRule) -> LayerRule:
        for name in types:
            if name in LAYER_RULES:
                raise ValueError(f"there are two rules for layers of type {name}")
            LAYER_RULES[name] = rule
        return rule

    return registered
