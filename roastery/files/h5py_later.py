"""h5py, imported when something of it is asked for: it takes a while, and most nets need none."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__all__ = ["h5py"]

if TYPE_CHECKING:
    import h5py
else:

    class _Later:
        def __getattr__(self, name: str) -> Any:
            return getattr(importlib.import_module("h5py"), name)

    h5py = _Later()
