"""Old nets and solvers in today's format, upgraded on the typed messages.

Caffe: src/caffe/util/upgrade_proto.cpp.
"""

from __future__ import annotations

from .net import net_needs_upgrade, upgrade_net
from .solver import fill_snapshot_prefix, solver_needs_upgrade, upgrade_solver

__all__ = [
    "fill_snapshot_prefix",
    "net_needs_upgrade",
    "solver_needs_upgrade",
    "upgrade_net",
    "upgrade_solver",
]
