"""Which layer types exist: those of :mod:`.layers`, and users' own."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from frontends.prototxt.suggestions import did_you_mean
from ir.errors import RoasteryError
from ir.location import Location

from . import layers
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


def is_loss(name: str) -> bool:
    """Whether layers of this type have loss_weight 1 without saying so."""
    load_layers()
    return name in LAYERS and LAYERS[name].loss


def find_layer(name: str, location: Location) -> LoweredType:
    """Raises RoasteryError naming the nearest known types for an unknown one."""
    load_layers()
    found = LAYERS.get(name)
    if found is not None:
        return found
    if not name:
        raise RoasteryError("the layer has no type", location=location, hint='add type: "..."')
    near = did_you_mean(name, LAYERS)
    hint = (
        f"did you mean '{near}'?"
        if near
        else "`roastery layers` lists the known types; docs/adding-a-layer.md shows how to add one"
    )
    raise RoasteryError(f"unknown layer type {name!r}", location=location, hint=hint)
