"""Rules of ops: what each makes of what its operands see of the net's input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ir.graph import Node, Value
from ir.op import Op

from .seen import Seen

Constants = Mapping[Value, np.ndarray]
"""Values that are the same in every run."""

SeenRule = Callable[[Any, Node, Sequence[Seen], Constants], Seen]
"""Of the op, its node, what the operands see, at least one of which sees some: what all results
see."""

_RULES: dict[type[Op], SeenRule] = {}


def seen_rule(*ops: type[Op]) -> Callable[[SeenRule], SeenRule]:
    """Decorator: register a rule for ops."""

    def register(rule: SeenRule) -> SeenRule:
        _RULES.update(dict.fromkeys(ops, rule))
        return rule

    return register


def seen_rule_of(op: Op) -> SeenRule | None:
    """The rule of an op; None where what is said of all ops does."""
    return _RULES.get(type(op))
