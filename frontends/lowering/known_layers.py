"""Which layer types exist: those of :mod:`.layers`, and users' own."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from frontends.prototxt.message import Message
from frontends.prototxt.suggestions import did_you_mean
from ir.errors import RoasteryError
from ir.location import Location

from . import layers
from .refused_layers import REFUSED
from .registry import LAYERS, LoweredType


@functools.cache
def load_layers() -> None:
    """Import every module of :mod:`frontends.lowering.layers`; each registers its layers."""
    for name in sorted(m.name for m in pkgutil.iter_modules(layers.__path__)):
        importlib.import_module(f"{layers.__name__}.{name}")


def layer_types() -> dict[str, LoweredType]:
    """All registered layer types by name, sorted."""
    load_layers()
    return dict(sorted(LAYERS.items()))


def own_loss_weight(layer: Message) -> float:
    """The loss_weight that a layer's first top has where it gives none."""
    load_layers()
    return LAYERS[layer.type].own_loss_weight(layer) if layer.type in LAYERS else 0.0


def find_layer(name: str, location: Location) -> LoweredType:
    """Raises RoasteryError naming the nearest known types for an unknown one."""
    load_layers()
    found = LAYERS.get(name)
    if found is not None:
        return found
    if not name:
        raise RoasteryError("the layer has no type", location=location, hint='add type: "..."')
    if name in REFUSED:
        why = REFUSED[name]
        raise RoasteryError(
            f"{name} layers are refused: {why.reason}", location=location, hint=why.instead
        )
    near = did_you_mean(name, LAYERS)
    hint = (
        f"did you mean '{near}'?"
        if near
        else "`roastery layers` lists the known types; docs/adding-a-layer.md shows how to add one"
    )
    raise RoasteryError(f"unknown layer type {name!r}", location=location, hint=hint)
