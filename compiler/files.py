"""The cache folder: what is made once and kept between runs.

Losing what is in it costs only time, so files appear whole (a rename) but are not flushed
to the disk; whoever reads them checks them.
"""

from __future__ import annotations

import os
from pathlib import Path

from ir.atomic_file import atomic_path
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
        with atomic_path(path, durable=False) as temporary:
            temporary.write_bytes(data)
    except (OSError, RoasteryError) as error:
        reason = error.strerror if isinstance(error, OSError) else error.message
        raise RoasteryError(
            f"cannot write in {path.parent}: {reason}",
            hint="set ROASTERY_CACHE to a folder that can be written",
        ) from error
