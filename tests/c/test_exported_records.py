"""Every recorded net as exported C: by gcc and clang with sanitizers, for older CPUs, for NEON."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import roastery
from roastery.api.cpu_baselines import runs_here
from roastery.api.exporting import export_net
from tests.support import c_kernels, golden

pytestmark = [c_kernels.needs_compiler, pytest.mark.exhaustive]

STRICT = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-O1")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
OWN = c_kernels.machine().instructions
DYNAMIC = {"filter_0"}
"""Nets whose sizes a layer's run tells, which are no C."""


@dataclass(frozen=True)
class Build:
    """How it is compiled and run, and what has to be installed for that."""

    baseline: str
    command: tuple[str, ...]
    program: str
    emulator: tuple[str, ...] = ()

    def missing(self) -> str | None:
        """What this machine lacks."""
        if self.program == "ziglang" and importlib.util.find_spec("ziglang") is None:
            return "ziglang"
        programs = [*self.emulator, *([] if self.program == "ziglang" else [self.program])]
        lacking = [name for name in programs if shutil.which(name) is None]
        if not lacking and not self.emulator and not runs_here(self.baseline):
            return self.baseline
        return lacking[0] if lacking else None


ZIG = (sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-linux-musl", "-static")
BUILDS = {
    "gcc": Build(OWN, ("gcc", *SANITIZERS), "gcc"),
    "clang": Build(OWN, ("clang", *SANITIZERS), "clang"),
    "AVX2": Build("x86-64-v3", ("gcc", *SANITIZERS), "gcc"),
    "SSE4": Build("x86-64-v2", ("gcc", *SANITIZERS), "gcc"),
    "NEON": Build("aarch64", ZIG, "ziglang", ("qemu-aarch64",)),
}


def built(build: Build, folder: Path) -> None:
    name = next(folder.glob("*.h")).stem
    march = [f"-march={build.baseline}"] if build.baseline.startswith("x86") else []
    words: Sequence[str] = [*build.command, *STRICT, *march, f"{name}.c", "main.c", "-o", "net"]
    done = subprocess.run([*words, "-lm", "-lpthread"], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("path", golden.LAYERS, ids=lambda path: path.stem)
@pytest.mark.parametrize("how", BUILDS)
def test_as_device_cpu(how: str, path: Path, tmp_path: Path) -> None:
    build = BUILDS[how]
    if lacking := build.missing():
        pytest.skip(f"there is no {lacking}")
    if path.stem in DYNAMIC:
        pytest.skip("its sizes are known when it runs")
    text, _ = golden.recorded_net(path)
    (tmp_path / "net.prototxt").write_text(text)
    net = roastery.compile(tmp_path / "net.prototxt", device="cpu", freeze=True)
    export_net(tmp_path / "net.prototxt", None, tmp_path / "c", ["c"], cpu_baseline=build.baseline)
    built(build, tmp_path / "c")
    with np.load(path) as case:
        arrays = {
            name: case[f"in/{name}"].astype(np.float32).reshape(shape)
            for name, shape in net.inputs.items()
        }
    words = []
    for number, (name, array) in enumerate(arrays.items()):
        np.save(tmp_path / "c" / f"{number}.npy", array)
        words.append(f"{name}={number}.npy")
    expected = net(**arrays)
    for threads in ("1", "3"):
        command = [*build.emulator, "./net", *words, "--output=out", f"--threads={threads}"]
        done = subprocess.run(command, cwd=tmp_path / "c", capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        files = [line.removeprefix("wrote ") for line in done.stdout.splitlines()]
        for file, (name, array) in zip(files, expected.items(), strict=True):
            assert golden.relative_error(np.load(tmp_path / "c" / file), array) <= 1e-5, name
