"""What data layers read: a file for each, with its settings and its source.

A file that is put here registers its layer by the class of its settings.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Collection, Iterator

from ..config import SourceConfig


def source_kinds() -> dict[str, type[SourceConfig]]:
    """The settings' classes of all data layers, by layer type; of several the one that nothing
    tells."""
    return {kind.kind: kind for kind in _kinds() if not kind.told_by}


def source_kind(layer_type: str, given: Collection[str]) -> type[SourceConfig] | None:
    """The settings' class of a layer whose block has the fields ``given``; None: it reads no
    data."""
    for kind in _kinds():
        if kind.kind == layer_type and kind.told_by in given:
            return kind
    return source_kinds().get(layer_type)


def _kinds() -> Iterator[type[SourceConfig]]:
    _load()
    below = SourceConfig.__subclasses__()
    while below:
        kind = below.pop()
        below += kind.__subclasses__()
        if "kind" in vars(kind):
            yield kind


@functools.cache
def _load() -> None:
    for name in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{name}")
