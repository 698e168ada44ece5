"""Which layer of one net, or of a file, is which of another: the k-th of a name is the k-th."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from ir.program import LayerInfo


class Named(Protocol):
    """A layer of a net or of a file."""

    @property
    def name(self) -> str: ...


NamedLayer = TypeVar("NamedLayer", bound=Named)


def matched(
    sources: Sequence[NamedLayer],
    targets: Sequence[LayerInfo],
    has_blobs: Callable[[NamedLayer], bool] | None = None,
) -> list[tuple[NamedLayer, LayerInfo | None]]:
    """Every source with the target of its name; None where there is none (left).

    Where one side has fewer layers of a name, those without blobs do not count: a net may lack
    the data layer that is called like its first layer with weights.

    Args:
        has_blobs: of a source; None: of layers of a net, which tell.
    """
    bears = has_blobs or (lambda layer: bool(getattr(layer, "variables", ())))
    known = _by_name(targets)
    found: dict[int, LayerInfo] = {}
    for name, mine in _by_name(sources).items():
        theirs = known.get(name, [])
        if len(mine) != len(theirs):
            mine = [layer for layer in mine if bears(layer)] or mine[:1]
            theirs = [layer for layer in theirs if layer.variables] or theirs[:1]
        found.update((id(m), t) for m, t in zip(mine, theirs, strict=False))
    return [(source, found.get(id(source))) for source in sources]


def _by_name(layers: Sequence[NamedLayer]) -> dict[str, list[NamedLayer]]:
    groups: dict[str, list[NamedLayer]] = {}
    for layer in layers:
        groups.setdefault(layer.name, []).append(layer)
    return groups
