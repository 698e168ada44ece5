"""What data layers read: a file for each, with its settings and its source.

A file that is put here registers its layer by the class of its settings.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil

from ..config import SourceConfig


def source_kinds() -> dict[str, type[SourceConfig]]:
    """The settings' classes of all data layers, by layer type."""
    _load()
    found: dict[str, type[SourceConfig]] = {}
    below = SourceConfig.__subclasses__()
    while below:
        kind = below.pop()
        below += kind.__subclasses__()
        if "kind" in vars(kind):
            found[kind.kind] = kind
    return found


@functools.cache
def _load() -> None:
    for name in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{name}")
