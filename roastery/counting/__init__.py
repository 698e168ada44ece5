"""What the layers of a net take: shapes, parameters, multiply-adds, bytes, receptive fields."""

from .fields import ReceptiveField
from .layers import LayerCount, NetCount, count_net, layer_multiply_adds
from .nodes import multiply_adds

__all__ = [
    "LayerCount",
    "NetCount",
    "ReceptiveField",
    "count_net",
    "layer_multiply_adds",
    "multiply_adds",
]
