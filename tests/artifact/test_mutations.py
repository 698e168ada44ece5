"""Thousands of damaged, lying and hostile artifacts: each is refused by one error, or reads on.

python -m pytest -m exhaustive tests/artifact/test_mutations.py      # 24,000 of them
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from test_light_loading import exported

from ir.errors import RoasteryError
from roastery.api.cpu_baselines import compilers_for
from runtime.artifact import load

ROOT = Path(__file__).parents[2]


def read_mutations(folder: Path, first: int, count: int) -> dict:
    whole = exported(folder, next(iter(compilers_for(())), "none"), 3, 8)
    run = subprocess.run(
        [sys.executable, "-m", "tests.artifact.mutated_reader", str(whole), str(first), str(count)],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    found: dict = json.loads(run.stdout)
    assert found["problems"] == [], found["outcomes"]
    return found


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="the system does not tell the peak of memory"
)


@needs_proc
def test_some_mutations(tmp_path: Path) -> None:
    found = read_mutations(tmp_path, 0, 600)
    kinds = {outcome.rpartition(" ")[0] for outcome in found["outcomes"]}
    assert len(kinds) == 10
    assert found["outcomes"]["flipped refused"] == 50
    assert any(outcome.endswith(" read") for outcome in found["outcomes"])


@needs_proc
@pytest.mark.exhaustive
def test_all_mutations(tmp_path: Path) -> None:
    read_mutations(tmp_path, 1000, 24_000)


def test_every_byte_counts(tmp_path: Path) -> None:
    """A flip of one bit, in every 61st byte and all of the last 400: the directory, the seal."""
    path = exported(tmp_path, "none")
    whole = path.read_bytes()
    for at in {*range(0, len(whole), 61), *range(len(whole) - 400, len(whole))}:
        data = bytearray(whole)
        data[at] ^= 1 << at % 8
        path.write_bytes(data)
        with pytest.raises(RoasteryError, match=r"net\.roast"):
            load(path, "reference")
