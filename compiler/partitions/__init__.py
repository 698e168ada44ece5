"""Programs cut into partitions: runs of layers, each planned as graphs of its own.

What is fed, what crosses from one partition to another and what is observed are blobs that have
memory. All else is inside of a graph, where the passes may do with it what they like. The whole
net is one partition; layer by layer, every layer is one and every blob has memory.
"""

from .by_layer import by_layer
from .graphs import Onto, PartitionGraphs, frozen
from .in_one import in_one
from .partition import Flow, Partition, Partitioning
from .sized import SizedPartition
from .whole import whole

__all__ = [
    "Flow",
    "Onto",
    "Partition",
    "PartitionGraphs",
    "Partitioning",
    "SizedPartition",
    "by_layer",
    "frozen",
    "in_one",
    "whole",
]
