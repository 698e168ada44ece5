"""Names of kernels: ``conv1_relu1``, ``d_conv1``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ir.graph import Direction, Node

_PREFIX = {Direction.FORWARD: "", Direction.BACKWARD: "d_", Direction.UPDATE: "update_"}
_MOST_LAYERS = 3


class KernelLabels:
    """Labels that are identifiers, each given once."""

    def __init__(self, given: Iterable[str] = ()) -> None:
        self._given = set(given)

    def of(self, nodes: Sequence[Node]) -> str:
        """Named after the layers of the nodes, in order; without layers, after the first result."""
        layers = list(dict.fromkeys(n.location.layer for n in nodes if n.location.layer))
        if len(layers) > _MOST_LAYERS:
            layers = [layers[0], "to", layers[-1]]
        name = "_".join(layers)
        if name:
            name = _PREFIX[nodes[-1].direction] + name
        else:
            name = nodes[-1].outputs[0].name if nodes[-1].outputs else nodes[-1].op.name
        return self.unique(_identifier(name))

    def named(self, name: str) -> str:
        """After a value or whatever else."""
        return self.unique(_identifier(name))

    def unique(self, name: str) -> str:
        candidate, count = name, 1
        while candidate in self._given:
            count += 1
            candidate = f"{name}_{count}"
        self._given.add(candidate)
        return candidate


def _identifier(name: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_]+", "_", name)[:60].strip("_")
    return name if name and not name[0].isdigit() else f"k_{name}".rstrip("_")
