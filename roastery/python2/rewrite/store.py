"""Rewritten modules, kept between runs: rewriting takes longer than all else of an import."""

from __future__ import annotations

import contextlib
import hashlib
import json
from functools import cache
from pathlib import Path

from ...files.cache_folder import PrivateFolder
from .converter import Converted, convert
from .source import source_text

_FOLDER = "python2"
_MOST_BYTES = 64 << 20


def converted_source(data: bytes, name: str) -> tuple[str, Converted]:
    """The text of a file's bytes, and what became of it: from the cache where it is there.

    Raises SyntaxError as :func:`roastery.python2.rewrite.converter.convert` does.
    """
    text = source_text(data)
    folder = PrivateFolder.in_cache(_FOLDER)
    key = hashlib.sha256(f"{_version()}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()
    if (stored := _read(folder, key)) is not None:
        return text, stored
    converted = convert(text, name)
    record = {
        "text": converted.text,
        "lines": list(converted.lines),
        "names": list(converted.names),
        "python3": converted.python3,
    }
    if folder.write(key, json.dumps(record).encode()):
        folder.remove_oldest(".", _MOST_BYTES)
    return text, converted


def _read(folder: PrivateFolder, key: str) -> Converted | None:
    data = folder.read(key)
    if data is None:
        return None
    try:
        record = json.loads(data)
        names = [(str(name), int(line)) for name, line in record["names"]]
        lines = [int(line) for line in record["lines"]]
        found = Converted(str(record["text"]), lines, names, bool(record["python3"]))
    except (ValueError, KeyError, TypeError):
        return None
    folder.touch(key)
    return found


@cache
def _version() -> str:
    """Changes whenever the rules do: what was kept then is no use any more."""
    from importlib.metadata import PackageNotFoundError, version

    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    with contextlib.suppress(PackageNotFoundError):
        digest.update(version("fissix").encode())
    return digest.hexdigest()
