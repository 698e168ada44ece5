"""Which layer types exist. A layer registers itself with :func:`layer` in its own file."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Literal

from frontends.prototxt.suggestions import did_you_mean
from frontends.schema.registry import extend_message
from frontends.schema.types import MessageType, optional
from ir.errors import RoasteryError
from ir.graph import Value
from ir.location import Location

if TYPE_CHECKING:
    from .context import LayerContext

Lowering = Callable[["LayerContext"], Value | Sequence[Value]]


Count = int | tuple[int, int | None]
"""A number, or (smallest, largest); None: any number."""


Coordinates = Literal["", "kept", "windows", "spread", "cut"]
"""What is where: as in the bottom; the middle of a window of it; the reverse of that; a part of it.
Caffe: python/caffe/coord_map.py."""


def _no_lowering(ctx: LayerContext) -> Value:
    raise NotImplementedError(f"{ctx.kind.name} decorates no function")


@dataclass(frozen=True)
class LayerType:
    """A layer: what it takes, and what is true of it whatever its parameters say.

    It registers itself with the function that it decorates, which lowers such layers.

    Attributes:
        param: the field of LayerParameter that holds its parameters (``pooling_param``).
        message: type of that field, for a layer that is not Caffe's: declares the field.
        bottoms, tops: how many.
        same_count: as many tops as bottoms.
        loss: gets a top by itself if it has none, with loss_weight 1.
        no_gradient_to: bottoms that never get a diff (labels), even under force_backward.
        in_place: may write its top over its bottom.
        fed: the caller feeds its tops. source: the runtime does.
        host: runs on the host. user_code: as code that the user names.
        note: where Roastery differs from Caffe on purpose; docs/layers.md shows it.
        fork: whose layer it is, if not Caffe's own.
        fork_fields: fields that forks added to the parameters of Caffe's layer and that are
            honoured here.
        also: further fields of LayerParameter it reads.
        shares_data: each top is its bottom's data under another shape (Caffe: Blob::ShareData).
        is_split: gives its bottom further names, and does nothing else.
        inner_softmax: Caffe's layer makes a Softmax layer inside, which its log shows.
        coordinates: how those of its top lie in its bottom; "": nothing is known of that.
    """

    name: str
    _: KW_ONLY
    param: str = ""
    message: MessageType | None = None
    bottoms: Count = 1
    tops: Count = 1
    same_count: bool = False
    loss: bool = False
    no_gradient_to: tuple[int, ...] = ()
    in_place: bool = False
    fed: bool = False
    source: bool = False
    host: bool = False
    user_code: bool = False
    note: str = ""
    fork: str = ""
    fork_fields: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    shares_data: bool = False
    is_split: bool = False
    inner_softmax: bool = False
    coordinates: Coordinates = ""
    lower: Lowering = _no_lowering

    def __call__(self, lower: Lowering) -> Lowering:
        """Register ``lower`` as what lowers layers of this type."""
        if self.message is not None:
            extend_message("LayerParameter", optional(self.message.name, self.param))
        _LAYERS[self.name] = replace(self, lower=lower)
        return lower

    @property
    def bottom_range(self) -> tuple[int, int | None]:
        """Smallest and largest number of bottoms; None: any number."""
        return _range(self.bottoms)

    @property
    def top_range(self) -> tuple[int, int | None]:
        """As ``bottom_range``, of tops."""
        return _range(self.tops)

    @property
    def title(self) -> str:
        """The type with its article, as messages say it: an InnerProduct layer."""
        # By sound, for names that are spelled: an LRN, an HDF5Data, an SPP; but a ReLU.
        spelled = len(self.name) > 1 and self.name[:2].isupper()
        vowel = self.name[:1] in ("AEFHILMNORSX" if spelled else "AEIO")
        return f"{'an' if vowel else 'a'} {self.name} layer"


layer = LayerType
"""As a decorator: ``@layer("Pooling", param="pooling_param")``."""

_LAYERS: dict[str, LayerType] = {}


def _range(count: Count) -> tuple[int, int | None]:
    return (count, count) if isinstance(count, int) else count


@functools.cache
def load_layers() -> None:
    """Import every module of :mod:`frontends.lowering.layers`; each registers its layers."""
    from . import layers

    for name in sorted(m.name for m in pkgutil.iter_modules(layers.__path__)):
        importlib.import_module(f"{layers.__name__}.{name}")


def layer_types() -> dict[str, LayerType]:
    """All registered layer types by name, sorted."""
    load_layers()
    return dict(sorted(_LAYERS.items()))


def is_loss(name: str) -> bool:
    """Whether layers of this type have loss_weight 1 without saying so."""
    load_layers()
    return name in _LAYERS and _LAYERS[name].loss


def find_layer(name: str, location: Location) -> LayerType:
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
