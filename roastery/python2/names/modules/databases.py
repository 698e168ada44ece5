"""``lmdb`` and ``leveldb``: keys and values are strings."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from ..byte_string import as_string, to_bytes

_KINDS = ("Environment", "Transaction", "Cursor")


class _Strings:
    """An object of lmdb: text may go in, and what comes out goes along with it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            words = {key: _in(value) for key, value in kwargs.items()}
            return _out(found(*map(_in, args), **words))

        return call

    def __enter__(self) -> Any:
        self._inner.__enter__()
        return self

    def __exit__(self, *error: Any) -> Any:
        return self._inner.__exit__(*error)

    def __iter__(self) -> Any:
        return map(_out, iter(self._inner))


def _in(value: Any) -> Any:
    if isinstance(value, _Strings):
        return value._inner
    return to_bytes(value)


def _out(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(map(_out, value))
    if type(value).__name__ in _KINDS:
        return _Strings(value)
    if type(value) is bytes:
        return as_string(value)
    if hasattr(value, "__next__"):
        return map(_out, value)
    return value


def lmdb_names(real: ModuleType) -> dict[str, Any]:
    def open_(path: Any, *args: Any, **kwargs: Any) -> Any:
        return _Strings(real.open(str(path), *args, **kwargs))

    return {"open": open_, "Environment": open_}


class _Batch:
    def __init__(self) -> None:
        self.steps: list[tuple[Any, ...]] = []

    def Put(self, key: Any, value: Any) -> None:
        self.steps.append((to_bytes(key), to_bytes(value)))

    def Delete(self, key: Any) -> None:
        self.steps.append((to_bytes(key),))


class _LevelDB:
    """The class of py-leveldb, over plyvel."""

    def __init__(self, path: Any, create_if_missing: bool = True, **words: Any) -> None:
        import plyvel

        error = bool(words.get("error_if_exists", False))
        self._db = plyvel.DB(str(path), create_if_missing=create_if_missing, error_if_exists=error)

    def Put(self, key: Any, value: Any, sync: bool = False) -> None:
        self._db.put(to_bytes(key), to_bytes(value), sync=sync)

    def Get(self, key: Any) -> Any:
        found = self._db.get(to_bytes(key))
        if found is None:
            raise KeyError(key)
        return as_string(found)

    def Delete(self, key: Any, sync: bool = False) -> None:
        self._db.delete(to_bytes(key), sync=sync)

    def Write(self, batch: _Batch, sync: bool = False) -> None:
        with self._db.write_batch(sync=sync) as writing:
            for step in batch.steps:
                (writing.put if len(step) == 2 else writing.delete)(*step)

    def RangeIter(self, key_from: Any = None, key_to: Any = None, **words: Any) -> Any:
        include = bool(words.get("include_value", True))
        found = self._db.iterator(
            start=to_bytes(key_from),
            stop=to_bytes(key_to),
            include_stop=True,
            include_value=include,
            reverse=bool(words.get("reverse", False)),
        )
        return map(_out, found)

    def GetStats(self) -> str:
        return str(self._db.get_property(b"leveldb.stats"))


def leveldb(real: ModuleType | None = None) -> dict[str, Any]:
    return {"LevelDB": _LevelDB, "WriteBatch": _Batch, "LevelDBError": Exception}
