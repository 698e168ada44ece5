"""Which layer types exist. A layer registers itself with :func:`layer` in its own file."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from frontends.prototxt.suggestions import did_you_mean
from frontends.schema.registry import extend_message
from frontends.schema.types import MessageType, optional
from ir.errors import RoasteryError
from ir.graph import Value
from ir.location import Location

if TYPE_CHECKING:
    from .context import LayerContext

Lowering = Callable[["LayerContext"], Value | Sequence[Value]]


@dataclass(frozen=True)
class LayerType:
    """A registered layer: how it is lowered and what it takes.

    ``bottoms``/``tops``: smallest and largest number (None: any). ``param`` is the field of
    LayerParameter that holds its parameters. ``loss``: gets a top by itself if it has none, with
    loss_weight 1. ``no_gradient_to``: bottoms that never get a diff (labels), even under
    force_backward. ``in_place``: may write its top over its bottom. ``same_count``: as many tops
    as bottoms. ``source``: the runtime feeds its tops. ``host``: runs on the host. ``note``:
    where Roastery differs from Caffe on purpose; docs/layers.md shows it. ``fork``: whose layer
    it is, if not Caffe's own. ``fork_fields``: fields that forks added to the parameters of
    Caffe's layer and that are honoured here. ``also``: further fields of LayerParameter it reads.
    ``shares_data``: each top is its bottom's data under another shape (Caffe: Blob::ShareData),
    whatever the parameters say.
    """

    name: str
    lower: Lowering
    param: str = ""
    bottoms: tuple[int, int | None] = (1, 1)
    tops: tuple[int, int | None] = (1, 1)
    same_count: bool = False
    loss: bool = False
    no_gradient_to: tuple[int, ...] = ()
    in_place: bool = False
    source: bool = False
    host: bool = False
    note: str = ""
    fork: str = ""
    fork_fields: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    shares_data: bool = False

    @property
    def title(self) -> str:
        """The type with its article, as messages say it: an InnerProduct layer."""
        # By sound, for names that are spelled: an LRN, an HDF5Data, an SPP; but a ReLU.
        spelled = len(self.name) > 1 and self.name[:2].isupper()
        vowel = self.name[:1] in ("AEFHILMNORSX" if spelled else "AEIO")
        return f"{'an' if vowel else 'a'} {self.name} layer"


_LAYERS: dict[str, LayerType] = {}


def layer(
    name: str,
    *,
    param: str = "",
    message: MessageType | None = None,
    bottoms: int | tuple[int, int | None] = 1,
    tops: int | tuple[int, int | None] = 1,
    same_count: bool = False,
    loss: bool = False,
    no_gradient_to: Sequence[int] = (),
    in_place: bool = False,
    source: bool = False,
    host: bool = False,
    note: str = "",
    fork: str = "",
    fork_fields: Sequence[str] = (),
    also: Sequence[str] = (),
    shares_data: bool = False,
) -> Callable[[Lowering], Lowering]:
    """Register the decorated function as the lowering of layer type ``name``.

    Args:
        param: field of LayerParameter with the parameters (``pooling_param``).
        message: type of that field, for a layer that is not Caffe's: declares the field.
    """

    def register(lower: Lowering) -> Lowering:
        if message is not None:
            extend_message("LayerParameter", optional(message.name, param))
        _LAYERS[name] = LayerType(
            name,
            lower,
            param,
            _range(bottoms),
            _range(tops),
            same_count,
            loss,
            tuple(no_gradient_to),
            in_place,
            source,
            host,
            note,
            fork,
            tuple(fork_fields),
            tuple(also),
            shares_data,
        )
        return lower

    return register


def _range(count: int | tuple[int, int | None]) -> tuple[int, int | None]:
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
