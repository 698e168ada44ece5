"""``tempfile``: files that take text, though they are opened for bytes."""

from __future__ import annotations

import tempfile
from types import ModuleType
from typing import Any

from ..files import OldFile


class _Temporary(OldFile):
    """A temporary file, which is removed when it is closed unless it is kept."""

    def __exit__(self, *error: Any) -> None:
        self.buffer.__exit__(*error)


def tempfile_names(real: ModuleType) -> dict[str, Any]:
    def made(function: Any) -> Any:
        def make(mode: str = "w+b", *args: Any, **words: Any) -> Any:
            kind = mode if "b" in mode else mode + "b"
            raw = function(kind, *args, **words)
            return _Temporary(raw, mode, getattr(raw, "name", ""))

        return make

    return {
        "NamedTemporaryFile": made(tempfile.NamedTemporaryFile),
        "TemporaryFile": made(tempfile.TemporaryFile),
    }
