"""Which layer types exist. A layer registers itself with :func:`layer` in its own file."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from frontends.prototxt.suggestions import did_you_mean
from frontends.schema.registry import extend_message
from frontends.schema.types import optional
from ir.errors import RoasteryError
from ir.graph import Value
from ir.location import Location

from .context import LayerContext
from .layer_type import LayerType

Lowering = Callable[[LayerContext], Value | Sequence[Value]]


def _no_lowering(ctx: LayerContext) -> Value:
    raise NotImplementedError(f"{ctx.kind.name} decorates no function")


@dataclass(frozen=True)
class LoweredType(LayerType):
    """A layer type and its lowering: registers itself with the function that it decorates."""

    lower: Lowering = _no_lowering

    def __call__(self, lower: Lowering) -> Lowering:
        """Register ``lower`` as what lowers layers of this type."""
        if self.message is not None:
            extend_message("LayerParameter", optional(self.message.name, self.param))
        _LAYERS[self.name] = replace(self, lower=lower)
        return lower


layer = LoweredType
"""As a decorator: ``@layer("Pooling", param="pooling_param")``."""

_LAYERS: dict[str, LoweredType] = {}


@functools.cache
def load_layers() -> None:
    """Import every module of :mod:`frontends.lowering.layers`; each registers its layers."""
    from . import layers

    for name in sorted(m.name for m in pkgutil.iter_modules(layers.__path__)):
        importlib.import_module(f"{layers.__name__}.{name}")


def layer_types() -> dict[str, LoweredType]:
    """All registered layer types by name, sorted."""
    load_layers()
    return dict(sorted(_LAYERS.items()))


def is_loss(name: str) -> bool:
    """Whether layers of this type have loss_weight 1 without saying so."""
    load_layers()
    return name in _LAYERS and _LAYERS[name].loss


def find_layer(name: str, location: Location) -> LoweredType:
    """Raises RoasteryError naming the nearest known types for an unknown one."""
    load_layers()
    found = _LAYERS.get(name)
    if found is not None:
        return found
    if not name:
        raise RoasteryError("the layer has no type", location=location, hint='add type: "..."')
    near = did_you_mean(name, _LAYERS)
    hint = (
        f"did you mean '{near}'?"
        if near
        else "`roastery layers` lists the known types; docs/adding-a-layer.md shows how to add one"
    )
    raise RoasteryError(f"unknown layer type {name!r}", location=location, hint=hint)
