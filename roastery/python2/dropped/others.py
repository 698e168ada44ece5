"""PyYAML, h5py, NetworkX."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .registry import Offer


def mend_yaml(module: ModuleType, offer: Offer) -> None:
    """``yaml.load(stream)`` without a loader; not one that makes any object."""

    def change(function: Any) -> Any:
        def load(stream: Any, Loader: Any = None, **kwargs: Any) -> Any:
            return function(stream, Loader=Loader or module.FullLoader, **kwargs)

        return load

    offer.replace(module, "load", change)


def mend_h5py(module: ModuleType, offer: Offer) -> None:
    """``dataset.value``, and ``File(name)`` that makes a file that is not there."""

    class File(module.File):  # type: ignore[name-defined]
        def __init__(self, name: Any, mode: Any = "a", *args: Any, **kwargs: Any) -> None:
            super().__init__(name, mode, *args, **kwargs)

    offer.add(module.Dataset, value=property(lambda self: self[()]))
    offer.replace(module, "File", lambda _: File)


def mend_networkx(module: ModuleType, offer: Offer) -> None:
    kind: Any = module.Graph
    offer.add(kind, nodes_iter=lambda self, *args: iter(self.nodes(*args)))
    offer.add(kind, edges_iter=lambda self, *args: iter(self.edges(*args)))
