"""A snapshot is resumed by another number of ranks, and the data goes on with the next record."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.ranks import NET, largest_difference, parameters, small_run, train_all

BATCH, EVERY = 4, 5


@pytest.mark.exhaustive
def test_two_then_three_then_one(tmp_path: Path) -> None:
    """As one rank does, whose batches grow and shrink instead."""
    several = small_run(tmp_path / "several", BATCH)
    single = small_run(tmp_path / "single", BATCH)
    text = (several / "solver.prototxt").read_text().replace("snapshot: 10", f"snapshot: {EVERY}")
    for stage, ranks in enumerate((2, 3, 1), 1):
        solver = text.replace("max_iter: 25", f"max_iter: {stage * EVERY}")
        for folder in (several, single):
            (folder / "solver.prototxt").write_text(solver)
        (single / "net.prototxt").write_text(NET % {"batch": BATCH * ranks})
        train_all([several], ranks)
        train_all([single], 1)
        found, expected = (parameters(folder, stage * EVERY) for folder in (several, single))
        assert largest_difference(found, expected) < 1e-5, f"{ranks} ranks"
