"""What the layers of a net take: shapes, parameters, multiply-adds, bytes, receptive fields."""

from runtime.layer_counts import LayerCount, NetCount, ReceptiveField

from .layers import count_net, count_sizes, layer_multiply_adds
from .nodes import multiply_adds

__all__ = [
    "LayerCount",
    "NetCount",
    "ReceptiveField",
    "count_net",
    "count_sizes",
    "layer_multiply_adds",
    "multiply_adds",
]
