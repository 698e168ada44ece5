"""The registered layer types. A layer registers itself with :func:`layer` in its own file.

Layers import this; who asks for them imports :mod:`.known_layers`, which imports all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from frontends.schema.registry import extend_message
from frontends.schema.types import optional
from ir.graph import Value

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
        LAYERS[self.name] = replace(self, lower=lower)
        return lower


layer = LoweredType
"""As a decorator: ``@layer("Pooling", param="pooling_param")``."""

LAYERS: dict[str, LoweredType] = {}
