"""Which layer types there are."""

from __future__ import annotations

from frontends.lowering.known_layers import layer_types


def layer_type_list() -> list[str]:
    """The names of all layer types, those that were added too."""
    return list(layer_types())
