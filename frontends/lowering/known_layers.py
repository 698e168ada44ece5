"""Which layer types exist: those of :mod:`.layers`, and users' own."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from frontends.prototxt.message import Message
from frontends.prototxt.suggestions import did_you_mean
from ir.errors import RoasteryError
from ir.location import Location

from . import layers, python_layers
from .built_in_python import PYTHON, built_in_layer
from .probe import Probe
from .refused_layers import REFUSED
from .registry import LAYERS, LoweredType


@functools.cache
def load_layers() -> None:
    """Import every module of :mod:`frontends.lowering.layers` and of
    :mod:`frontends.lowering.python_layers`; each registers its layers."""
    for name in sorted(m.name for m in pkgutil.iter_modules(layers.__path__)):
        importlib.import_module(f"{layers.__name__}.{name}")
    for name in sorted(m.name for m in pkgutil.iter_modules(python_layers.__path__)):
        importlib.import_module(f"{python_layers.__name__}.{name}")


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
        else "`roastery layers` lists the known types; `roastery help adding-a-layer` shows how to "
        "add one"
    )
    raise RoasteryError(f"unknown layer type {name!r}", location=location, hint=hint)


def lowered_type_of(layer: Message, probe: Probe | None) -> tuple[LoweredType, str]:
    """As :func:`find_layer`, for one layer of a net; and what to tell of that.

    A Python layer that is built in is no user's code, unless the user has the module.
    """
    kind = find_layer(layer.type, layer.location)
    found = built_in_layer(layer) if kind.name == PYTHON else None
    if found is None:
        return kind, ""
    module = layer.python_param.module
    own = probe.own_module(layer) if probe is not None else None
    if own is None:
        return found, f"Python module '{module}' is not needed: the layer is built in"
    if own.problem:
        return found, f"'{own.file}' {own.problem}: the layer that is built in takes its place"
    return kind, f"the layer of '{own.file}' is taken, not the one that is built in"
