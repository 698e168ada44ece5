"""The one way to open a data source."""

from __future__ import annotations

import os
from pathlib import Path

from .config import NO_SOLVER, OpenOptions, Phase, SolverSpan, SourceConfig
from .notes import Notes, to_logger, unheard
from .share import ALL, Share
from .source import DataSource, Shape


def open_source(
    config: SourceConfig,
    phase: Phase,
    seed: int,
    root: str | os.PathLike[str] = ".",
    lock: bool = True,
    notes: Notes = to_logger,
    schedule: SolverSpan = NO_SOLVER,
    share: Share = ALL,
) -> DataSource:
    """Open the source that ``config`` describes; the arguments are those of `OpenOptions`.

    Raises RoasteryError for everything that can be known before the first batch.
    """
    return config.open(
        OpenOptions(
            phase=phase,
            seed=seed,
            root=Path(root),
            lock=lock,
            notes=notes,
            schedule=schedule,
            share=share,
        )
    )


def probe_shapes(
    config: SourceConfig, phase: Phase, root: str | os.PathLike[str] = "."
) -> list[Shape]:
    """Top shapes of the first batch, for shape inference.

    Nothing stays open or locked, and nothing is noted: that is left to `open_source`.
    """
    source = open_source(config, phase, 0, root, lock=False, notes=unheard)
    try:
        return source.shapes()
    finally:
        source.close()
