"""Multiply-adds of nodes: the one way in which they are counted, whoever shows them."""

from __future__ import annotations

from collections.abc import Iterable

from ir.graph import Node


def multiply_adds(nodes: Iterable[Node]) -> int:
    """Products that are added up, those with padding too, by convolutions and matrix products.

    Half of what is called floating-point operations. Nothing else is counted: no pooling, no
    additions of biases. The nodes' types must be numbers, see :func:`ir.graph_sizes.graph_at`.
    """
    return sum(node.multiply_adds for node in nodes)
