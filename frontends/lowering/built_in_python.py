"""Python layers that everybody's nets name, built of ops: no module of the user's is needed.

A file of :mod:`frontends.lowering.python_layers` registers what it lowers under the module and the
class that nets name. A module of the user's own goes before, where it may be imported.
"""

from __future__ import annotations

from dataclasses import dataclass

from frontends.prototxt.message import Message

from .layer_type import Count
from .registry import LoweredType, Lowering

PYTHON = "Python"

BUILT_IN: dict[tuple[str, str], LoweredType] = {}
"""By module and class."""


@dataclass(frozen=True)
class BuiltIn:
    """Registers the function that it decorates.

    Attributes:
        module, name: as nets name them. bottoms, tops: how many.
        host: runs on the host. note: see :class:`~.layer_type.LayerType`. source: whose it is.
    """

    module: str
    name: str
    bottoms: Count
    tops: Count
    source: str
    host: bool = False
    note: str = ""

    def __call__(self, lower: Lowering) -> Lowering:
        BUILT_IN[self.module, self.name] = LoweredType(
            PYTHON,
            param="python_param",
            bottoms=self.bottoms,
            tops=self.tops,
            no_gradient_to=tuple(range(8)),
            host=self.host,
            note=self.note,
            fork=self.source,
            lower=lower,
        )
        return lower


built_in = BuiltIn
"""As a decorator: ``@built_in("rpn.proposal_layer", "ProposalLayer", ...)``."""


def built_in_layer(layer: Message) -> LoweredType | None:
    """What stands for the module that a Python layer names."""
    param = layer.python_param
    return BUILT_IN.get((param.module, param.layer))
