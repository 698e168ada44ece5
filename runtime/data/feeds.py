"""Data sources of a net: opened, read ahead, checked."""

from __future__ import annotations

from typing import Literal, cast

from ir.program import NetProgram

from ..backends.backend import Backend, batch_allocator
from .config import NO_SOLVER, SolverSpan
from .labels import CheckedSource, label_checks
from .notes import DataNote, Notes, NotesOfOpening
from .opening import open_source
from .prefetch import read_ahead
from .share import ALL, Share
from .source import DataSource


def open_feeds(
    program: NetProgram,
    seed: int,
    backend: Backend,
    notes: Notes,
    schedule: SolverSpan = NO_SOLVER,
    share: Share = ALL,
) -> tuple[dict[str, DataSource], dict[str, list[DataNote]]]:
    """Data sources by the layers' keys: read ahead on threads, their labels checked.

    Args:
        backend: what reads the batches, which may have memory for them.
        notes: gets what the sources say once they are open.
        schedule: of the solver that the batches are for.
        share: of the records, where several ranks read them.

    Returns: the sources, and what they said while they were opened.
    """
    checks = label_checks(program)
    phase = cast(Literal["TRAIN", "TEST"], program.phase)
    feeds: dict[str, DataSource] = {}
    said: dict[str, list[DataNote]] = {}
    for layer in program.layers:
        if layer.source is None:
            continue
        opening = NotesOfOpening(notes)
        source = open_source(
            layer.source, phase, seed, notes=opening, schedule=schedule, share=share
        )
        said[layer.key] = opening.opened()
        depth = max(1, getattr(layer.source, "prefetch", 4))
        source = read_ahead(source, depth, allocate=batch_allocator(backend, depth + 2))
        mine = checks.get(layer.key)
        feeds[layer.key] = CheckedSource(source, mine) if mine else source
    return feeds, said
