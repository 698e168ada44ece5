"""What nodes read and make."""

from __future__ import annotations

from .types import TensorType


class Value:
    """One result of a node, or an input of the graph. Compared by identity."""

    __slots__ = ("name", "type")

    def __init__(self, name: str, type: TensorType) -> None:
        self.name = name
        self.type = type

    @property
    def shape(self) -> tuple[int, ...]:
        return self.type.shape

    def __repr__(self) -> str:
        return f"%{self.name}: {self.type}"
