"""What the compiler is, as a digest of its sources: a plan of another one is never read."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import compiler
import ir

_SUFFIXES = (".py", ".c", ".h")


def code_digest() -> str | None:
    """Of all files that decide what a graph is compiled to, as they are on disk now; None where
    they cannot be read, as in an archive."""
    found = hashlib.sha256()
    try:
        for package in (ir, compiler):
            (folder,) = package.__path__
            for name, path in sorted(_sources(Path(folder))):
                data = Path(path).read_bytes()
                found.update(f"{package.__name__}/{name} {len(data)}\n".encode())
                found.update(data)
    except (OSError, ValueError):
        return None
    return found.hexdigest()


def _sources(folder: Path) -> Iterator[tuple[str, str]]:
    """Each by its path in the folder, and its whole path."""
    for entry in os.scandir(folder):
        if entry.is_dir():
            if entry.name != "__pycache__":
                inner = _sources(Path(entry.path))
                yield from ((f"{entry.name}/{name}", path) for name, path in inner)
        elif entry.name.endswith(_SUFFIXES):
            yield entry.name, entry.path


@functools.cache
def digest_at_start() -> str | None:
    """When a process asked first. What it imports later may be other files by then."""
    return code_digest()
