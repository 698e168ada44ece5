"""``pickle`` and ``cPickle``: files that were opened as text, and pickles of Python 2."""

from __future__ import annotations

import pickle
from types import ModuleType
from typing import Any

from ..byte_string import ByteString
from ..files import binary_stream

_PROTOCOL = 2  # the newest that Python 2 reads
_ENCODING = "latin-1"  # holds any bytes, and numpy's arrays need it


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: Any, **words: Any) -> None:
        super().__init__(binary_stream(file), **{"encoding": _ENCODING, **words})

    noload = pickle.Unpickler.load


class _Pickler(pickle.Pickler):
    def __init__(self, file: Any, protocol: Any = _PROTOCOL, **words: Any) -> None:
        super().__init__(binary_stream(file), protocol, **words)


def _load(file: Any, **words: Any) -> Any:
    return _Unpickler(file, **words).load()


def _loads(data: Any, **words: Any) -> Any:
    if isinstance(data, str):  # protocol 0 is text
        data = data.encode("latin-1")
    return pickle.loads(data, **{"encoding": _ENCODING, **words})


def _dump(value: Any, file: Any, protocol: Any = _PROTOCOL, **words: Any) -> None:
    _Pickler(file, protocol, **words).dump(value)


def _dumps(value: Any, protocol: Any = _PROTOCOL, **words: Any) -> ByteString:
    return ByteString(pickle.dumps(value, protocol, **words))


def pickle_names(real: ModuleType | None = None) -> dict[str, Any]:
    names = {name: getattr(pickle, name) for name in pickle.__all__}
    own = {
        "Pickler": _Pickler,
        "Unpickler": _Unpickler,
        "dump": _dump,
        "dumps": _dumps,
        "load": _load,
        "loads": _loads,
    }
    return own if real is not None else names | own
