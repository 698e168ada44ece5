"""The cache folder: what is made once and kept between runs.

Losing what is in it costs only time, so files appear whole (a rename) but are not flushed
to the disk; whoever reads them checks them.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from ir.errors import RoasteryError


def cache_folder() -> Path:
    """``$ROASTERY_CACHE``, else ``roastery`` in the user's cache folder. May not exist yet."""
    chosen = os.environ.get("ROASTERY_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "roastery"


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file that others see whole or not at all; makes its folder.

    Raises :class:`RoasteryError` when the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise RoasteryError(
            f"cannot write in {path.parent}: {error.strerror}",
            hint="set ROASTERY_CACHE to a folder that can be written",
        ) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _umask() -> int:
    """The process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
