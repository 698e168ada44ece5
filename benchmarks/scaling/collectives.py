"""How long the sum of a bucket over all ranks takes: alpha-beta models of rings and trees.

A ring of N sends N - 1 parts to sum up and N - 1 to spread sums, of S / N bytes each: all links are
busy, and each message waits for the one before. A tree sends everything up and down again, through
logarithmically many nodes; two trees, of which each sums up one half, keep all links busy. (Thakur,
Rabenseifner, Gropp, "Optimization of Collective Communication Operations in MPICH", 2005; Sanders,
Speck, Traeff, "Two-tree algorithms for full bandwidth broadcast, reduction and scan", 2009; NCCL
chooses the fastest of these by the same kind of model.)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from .links import GPUS, RING, TREE, Network, Protocol

AllReduce = Callable[[float], float]
"""Seconds for so many bytes, of every rank."""


@dataclass(frozen=True)
class Cluster:
    """``count`` GPUs, in nodes of eight. ``nvlink``: of a GPU, in bytes a second."""

    count: int
    nvlink: float
    network: Network

    @property
    def nodes(self) -> int:
        return -(-self.count // GPUS)

    @property
    def bandwidth(self) -> float:
        """Of the slowest link that a ring through all GPUs has; every NIC has a ring of its own."""
        return self.nvlink if self.nodes == 1 else min(self.nvlink, self.network.bandwidth)

    def hop(self, protocol: Protocol) -> float:
        return protocol.network + self.network.slower


def alpha_beta(steps: float, alpha: float, nbytes: float, bandwidth: float) -> float:
    """Seconds of messages one after the other, ``nbytes`` in all."""
    return steps * alpha + nbytes / bandwidth


def ring(nbytes: float, cluster: Cluster, protocol: Protocol) -> float:
    """Of a ring through all GPUs: 2 (N - 1) steps, of which 2 (M - 1) leave one of M nodes."""
    count, nodes = cluster.count, cluster.nodes
    if count == 1:
        return 0.0
    outside = 2 * (nodes - 1)
    inside = 2 * (count - 1) - outside
    moved = 2 * (count - 1) / count * nbytes
    return (
        protocol.base
        + inside * protocol.nvlink
        + alpha_beta(outside, cluster.hop(protocol), moved, protocol.share * cluster.bandwidth)
    )


def tree(nbytes: float, cluster: Cluster, protocol: Protocol) -> float:
    """Of two trees of nodes, in each of which GPUs are a chain."""
    if cluster.count == 1:
        return 0.0
    inside = 2 * (min(cluster.count, GPUS) - 1)
    outside = 2 * math.ceil(math.log2(cluster.nodes))
    return (
        protocol.base
        + inside * protocol.nvlink
        + alpha_beta(outside, cluster.hop(protocol), 2 * nbytes, protocol.share * cluster.bandwidth)
    )


def hierarchical(nbytes: float, cluster: Cluster) -> float:
    """Each node sums up first (an eighth in each GPU), then GPUs of one place in all nodes, then
    each node spreads the sums: an eighth of the bytes leaves through each NIC."""
    inside = Cluster(min(cluster.count, GPUS), cluster.nvlink, cluster.network)
    time = best(nbytes, inside)
    if cluster.nodes == 1:
        return time
    between = []
    for protocols, steps in ((RING, 2 * (cluster.nodes - 1)), (TREE, 2 * _levels(cluster))):
        for protocol in protocols:
            moved = 2 * (cluster.nodes - 1) / cluster.nodes * nbytes
            bandwidth = protocol.share * cluster.network.bandwidth
            alpha = cluster.hop(protocol)
            between.append(protocol.base + alpha_beta(steps, alpha, moved, bandwidth))
    return time + min(between)


def _levels(cluster: Cluster) -> int:
    return math.ceil(math.log2(cluster.nodes))


def best(nbytes: float, cluster: Cluster) -> float:
    """Of the fastest ring or tree, as NCCL chooses."""
    if cluster.count == 1:
        return 0.0
    return min(
        *(ring(nbytes, cluster, protocol) for protocol in RING),
        *(tree(nbytes, cluster, protocol) for protocol in TREE),
    )


def all_reduce(cluster: Cluster) -> AllReduce:
    return lambda nbytes: best(nbytes, cluster)
