"""What was found so far: a folder with a file for each piece, which appears whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from roastery.files.atomic_file import atomic_path

from .pieces import Piece


class State:
    """Records by piece, and how often each was begun."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether nobody else adds to it meanwhile."""
        with open(self.folder / "lock", "w", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
            else:
                yield True

    def record(self, piece: Piece) -> dict[str, Any] | None:
        """What it found; None: it is not done. What is no JSON was written by somebody else."""
        try:
            found = json.loads(self._file(piece).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def begun(self, piece: Piece) -> int:
        """How often it was begun without coming to an end."""
        try:
            return int(self._attempts(piece).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return 0

    def is_left(self, piece: Piece) -> bool:
        return self.record(piece) is None

    def begin(self, piece: Piece) -> None:
        _write(self._attempts(piece), f"{self.begun(piece) + 1}\n")

    def withdraw(self, piece: Piece) -> None:
        """It was cut off by who started the contest: that attempt does not count."""
        _write(self._attempts(piece), f"{max(0, self.begun(piece) - 1)}\n")

    def finish(self, piece: Piece, record: dict[str, Any]) -> None:
        _write(self._file(piece), json.dumps(record, indent=1) + "\n")
        self._attempts(piece).unlink(missing_ok=True)

    def forget_failures(self, pieces: Iterable[Piece]) -> None:
        """Let those that failed, or were given up, be tried again."""
        for piece in pieces:
            if "failed" in (self.record(piece) or {}):
                self._file(piece).unlink(missing_ok=True)

    def _file(self, piece: Piece) -> Path:
        return self.folder / f"{piece.name}.json"

    def _attempts(self, piece: Piece) -> Path:
        return self.folder / f"{piece.name}.attempts"


def _write(path: Path, text: str) -> None:
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")
