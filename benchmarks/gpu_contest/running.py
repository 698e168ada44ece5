"""Runs pieces, one process after the other, until the time is up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .pieces import LIMIT, Piece
from .state import State

ROOT = Path(__file__).parents[2]
_LAST = 2000  # characters of what a piece said that are kept


def run_pieces(
    pieces: Sequence[Piece], state: State, seconds: float, tell: Callable[[str], None]
) -> list[Piece]:
    """Run what is not done yet, in order; returns what is left.

    A piece is not begun where too little time is left for it, and ended where it takes too long:
    then it is tried again by the next call, until it is given up, with a record that says so.

    Args:
        seconds: for all of them together.
        tell: what is being done.
    """
    until = time.monotonic() + seconds
    for piece in pieces:
        if not state.is_left(piece):
            continue
        if state.begun(piece) >= piece.attempts:
            state.finish(piece, {"failed": f"given up after {piece.attempts} attempts"})
            continue
        room = until - time.monotonic()
        if room < min(piece.seconds, 0.9 * seconds):
            break  # in order: what comes first decides most
        tell(f"{piece.name} ...")
        limit = min(LIMIT, room)
        state.begin(piece)
        try:
            record = _run(piece, limit, state.folder)
        except BaseException:
            state.withdraw(piece)
            raise
        if record is not None:
            state.finish(piece, record)
        elif limit < 0.9 * min(LIMIT, seconds):
            state.withdraw(piece)  # there was little time left for it
        elif state.begun(piece) >= piece.attempts:
            state.finish(piece, {"failed": f"took longer than {limit:.0f} s, repeatedly"})
        said = "cut off" if record is None else record.get("failed", "done")
        tell(f"{piece.name}: {said}"[:300])
    return [piece for piece in pieces if state.is_left(piece)]


def _run(piece: Piece, limit: float, folder: Path) -> dict[str, Any] | None:
    """What a piece found, or why it failed; None: it took too long."""
    caches = {  # what torch.compile has tried is there for the next attempt
        "TORCHINDUCTOR_CACHE_DIR": str(folder.absolute() / "inductor"),
        "TORCHINDUCTOR_FX_GRAPH_CACHE": "1",
        "TORCHINDUCTOR_AUTOTUNE_REMOTE_CACHE": "0",
    }
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "found.json"
        words = [str(file) if word == "{file}" else word for word in piece.command]
        with subprocess.Popen(
            words,
            cwd=ROOT,
            env={**os.environ, **caches},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # its workers end with it
        ) as process:
            try:
                said, _ = process.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                _end(process)
                return None
            except BaseException:
                _end(process)
                raise
        record: dict[str, Any] = {"seconds": round(time.monotonic() - started, 1)}
        record["output"] = said[-_LAST:]
        if process.returncode:
            last = said.strip().splitlines()[-1:] or ["it said nothing"]
            return {**record, "failed": f"ended with {process.returncode}: {last[0]}"}
        if file.is_file():
            record |= json.loads(file.read_text(encoding="utf-8"))
        return record


def _end(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
