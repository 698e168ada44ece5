"""The kinds of databases that Caffe knows, by the names that its tools take."""

from __future__ import annotations

from ir.errors import RoasteryError


def known_backend(backend: str) -> str:
    """The backend's name in lower case; RoasteryError when there is no such backend."""
    kind = backend.lower()
    if kind not in ("lmdb", "leveldb"):
        raise RoasteryError(
            f"unknown database backend '{backend}'", hint="the backends are lmdb and leveldb"
        )
    return kind
