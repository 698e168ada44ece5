"""``gzip``, ``bz2``, ``zipfile``, ``tarfile``: text may go in, and what comes out goes along."""

from __future__ import annotations

import bz2
import gzip
import tarfile
import zipfile
from types import ModuleType
from typing import Any

from ..byte_string import as_string, to_bytes
from ..files import OldFile, binary_stream


def _opens(function: Any) -> Any:
    """A function whose file is one of Python 2, always of bytes."""

    def call(name: Any = None, mode: str = "rb", *args: Any, **words: Any) -> Any:
        kind = mode.replace("U", "")
        kind = kind if "b" in kind or "t" in kind else kind + "b"
        made = function(binary_stream(name), kind, *args, **words)
        return made if "t" in kind else OldFile(made, kind, name)

    return call


def gzip_names(real: ModuleType) -> dict[str, Any]:
    def opened(
        filename: Any = None,
        mode: Any = None,
        compresslevel: int = 9,
        fileobj: Any = None,
        mtime: Any = None,
    ) -> Any:
        kind = (mode or "rb").replace("U", "")
        kind = kind if "b" in kind else kind + "b"
        made = gzip.GzipFile(filename, kind, compresslevel, binary_stream(fileobj), mtime)
        return OldFile(made, kind, filename)

    return {"GzipFile": opened, "open": _opens(gzip.open)}


def bz2_names(real: ModuleType) -> dict[str, Any]:
    def opened(filename: Any, mode: str = "r", buffering: int = 0, compresslevel: int = 9) -> Any:
        function: Any = bz2.BZ2File
        made = function(filename, mode.replace("U", ""), compresslevel=compresslevel)
        return OldFile(made, "rb" if "r" in mode else "wb", filename)

    def compress(data: Any, level: int = 9) -> Any:
        return as_string(bz2.compress(to_bytes(data), level))

    def decompress(data: Any) -> Any:
        return as_string(bz2.decompress(to_bytes(data)))

    return {"BZ2File": opened, "compress": compress, "decompress": decompress}


def zipfile_names(real: ModuleType) -> dict[str, Any]:
    class ZipFile(zipfile.ZipFile):
        def __init__(self, file: Any, *args: Any, **words: Any) -> None:
            super().__init__(binary_stream(file), *args, **words)

        def read(self, name: Any, pwd: Any = None) -> Any:
            return as_string(super().read(name, to_bytes(pwd)))

    return {"ZipFile": ZipFile, "BadZipfile": zipfile.BadZipFile}


def tarfile_names(real: ModuleType) -> dict[str, Any]:
    class TarFile(tarfile.TarFile):
        def extractfile(self, member: Any) -> Any:  # an OldFile
            found = super().extractfile(member)
            return found if found is None else OldFile(found, "rb", str(member))

    def opened(name: Any = None, mode: str = "r", fileobj: Any = None, **words: Any) -> Any:
        function: Any = TarFile.open
        return function(name, mode, binary_stream(fileobj), **words)

    return {"TarFile": TarFile, "open": opened}
