"""Modules that turn bytes into bytes, which were strings: text may go in."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
import zlib
from types import ModuleType
from typing import Any

from ..byte_string import as_string, to_bytes


def _of_bytes(function: Any) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        return as_string(function(*map(to_bytes, args), **kwargs))

    call.__name__ = getattr(function, "__name__", "call")
    return call


def _all(module: ModuleType, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _of_bytes(getattr(module, name)) for name in names}


def base64_names(real: ModuleType) -> dict[str, Any]:
    names = (
        "b16decode", "b16encode", "b32decode", "b32encode", "b64decode", "b64encode",
        "standard_b64decode", "standard_b64encode", "urlsafe_b64decode", "urlsafe_b64encode",
        "encodebytes", "decodebytes",
    )  # fmt: skip
    found = _all(base64, names)
    return found | {"encodestring": found["encodebytes"], "decodestring": found["decodebytes"]}


def binascii_names(real: ModuleType) -> dict[str, Any]:
    return _all(binascii, ("hexlify", "unhexlify", "b2a_hex", "a2b_hex", "crc32"))


class _Digest:
    """A hash that takes text."""

    def __init__(self, name: str, data: Any = b"") -> None:
        self._hash = hashlib.new(name, to_bytes(data))

    def update(self, data: Any) -> None:
        self._hash.update(to_bytes(data))

    def digest(self) -> Any:
        return as_string(self._hash.digest())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hash, name)


def _digest(name: str) -> Any:
    return lambda data=b"", **words: _Digest(name, data)


def hashlib_names(real: ModuleType) -> dict[str, Any]:
    kinds = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
    return {name: _digest(name) for name in kinds} | {"new": _Digest}


def md5() -> dict[str, Any]:
    return {"md5": _digest("md5"), "new": _digest("md5")}


def sha() -> dict[str, Any]:
    return {"sha": _digest("sha1"), "new": _digest("sha1")}


def struct_names(real: ModuleType) -> dict[str, Any]:
    def pack(form: Any, *values: Any) -> Any:
        return as_string(struct.pack(form, *map(to_bytes, values)))

    def unpack(form: Any, data: Any) -> Any:
        return tuple(map(as_string, struct.unpack(form, to_bytes(data))))

    return {"pack": pack, "unpack": unpack}


def zlib_names(real: ModuleType) -> dict[str, Any]:
    return _all(zlib, ("compress", "decompress", "crc32", "adler32"))
