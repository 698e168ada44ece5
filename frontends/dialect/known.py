"""Which dialects there are: those of :mod:`.tables`."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from frontends.prototxt.suggestions import did_you_mean
from ir.errors import RoasteryError

from . import tables
from .dialect import DIALECTS, Dialect


@functools.cache
def _load() -> None:
    for name in sorted(m.name for m in pkgutil.iter_modules(tables.__path__)):
        importlib.import_module(f"{tables.__name__}.{name}")


def dialects() -> dict[str, Dialect]:
    """All dialects by name, in the order in which they are tried: those with the fewest numbers
    of their own first, Caffe's before all."""
    _load()
    return dict(sorted(DIALECTS.items(), key=lambda item: _own_numbers(item[1])))


def _own_numbers(dialect: Dialect) -> int:
    return sum(map(len, dialect.numbers.values()))


def find_dialect(name: str, said_by: str = "--dialect") -> Dialect:
    """Raises RoasteryError naming the nearest for an unknown one."""
    known = dialects()
    if name in known:
        return known[name]
    near = did_you_mean(name, known)
    raise RoasteryError(
        f"{said_by}: there is no dialect {name!r}",
        hint=(f"did you mean '{near}'? " if near else "") + f"it takes {', '.join(known)}",
    )
