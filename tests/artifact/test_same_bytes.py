"""The same net gives the same bytes: whoever exports it, where, and how often."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from test_light_loading import NET

from roastery.api.cpu_baselines import compilers_for
from runtime.artifact import Artifact

ROOT = Path(__file__).parents[2]


def exported(folder: Path, named: str, seed: int, baseline: str) -> bytes:
    """By a process that starts in a folder of its own, with nothing that was compiled before."""
    folder.mkdir(parents=True)
    (folder / "net.prototxt").write_text(NET)
    run = subprocess.run(
        [
            sys.executable, "-m", "roastery", "export", named, f"--output={folder / 'net.roast'}",
            "--target=cpu", f"--cpu-baseline={baseline}",
        ],
        capture_output=True,
        text=True,
        cwd=folder,
        env={
            "PYTHONPATH": str(ROOT),
            "PYTHONHASHSEED": str(seed),
            "ROASTERY_CACHE": str(folder / "cache"),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "OMP_NUM_THREADS": str(seed),
            "TZ": f"UTC+{seed % 12}",
        },
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return (folder / "net.roast").read_bytes()


@pytest.mark.parametrize("baseline", ["none", "machine code"])
def test_two_processes_give_the_same_bytes(baseline: str, tmp_path: Path) -> None:
    if baseline != "none":
        baseline = next(iter(compilers_for(())), "")
        if not baseline:
            pytest.skip("no C compiler")
    one = exported(tmp_path / "one", "net.prototxt", 1, baseline)
    there = tmp_path / "another folder" / "inside"
    assert exported(there, str(there / "net.prototxt"), 20, baseline) == one
    with Artifact.load(tmp_path / "one" / "net.roast") as artifact:
        members = {name: artifact.read(name) for name in artifact.manifest.members}
    assert (baseline != "none") == any(name.endswith(".so") for name in members)
    assert not [name for name, data in members.items() if str(tmp_path).encode() in data]
