"""One net in both: the same random images, and the largest difference of each result."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import roastery
from benchmarks.contest import opencv_environment
from ir.errors import RoasteryError

CHILD = Path(__file__).with_name("opencv_child.py")


@dataclass(frozen=True)
class Compared:
    """A result of a net in both; or, with ``trouble``, why there is none."""

    net: str
    result: str = ""
    shape: str = ""
    largest: float = 0.0
    difference: float = 0.0
    trouble: str = ""


def pairs(folder: Path) -> list[tuple[Path, Path]]:
    """Prototxts of a folder that have a .caffemodel of the same name beside them."""
    found = ((path, path.with_suffix(".caffemodel")) for path in sorted(folder.glob("*.prototxt")))
    return [(net, weights) for net, weights in found if weights.is_file()]


def compare(prototxt: Path, weights: Path, seed: int = 0) -> list[Compared]:
    """Run a net here and in OpenCV."""
    name = prototxt.stem
    try:
        net = roastery.compile(prototxt, weights=weights, device="cpu", freeze=True)
    except RoasteryError as error:
        return [Compared(name, trouble=f"Roastery: {error.message}")]
    random = np.random.default_rng(seed)
    inputs = {
        key: random.uniform(-1, 1, shape).astype(np.float32) for key, shape in net.inputs.items()
    }
    ours = net(**inputs)
    theirs = _in_opencv(prototxt, weights, inputs)
    if isinstance(theirs, str):
        return [Compared(name, trouble=f"OpenCV: {theirs}")]
    return [_difference(name, key, value, theirs) for key, value in ours.items()]


def _in_opencv(
    prototxt: Path, weights: Path, inputs: dict[str, np.ndarray]
) -> dict[str, np.ndarray] | str:
    """Its results by the name of the layer; a text where it fails."""
    with tempfile.TemporaryDirectory() as folder:
        given, results = Path(folder, "given.npz"), Path(folder, "results.npz")
        np.savez(given, **inputs)  # type: ignore[arg-type]
        command = [opencv_environment.python(), CHILD, prototxt, weights, given, results]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode or not results.is_file():
            lines = [line for line in run.stderr.splitlines() if line.strip()]
            return lines[-1][:120] if lines else f"ended with {run.returncode}"
        with np.load(results) as found:
            return {key: found[key] for key in found.files}


def _difference(net: str, key: str, ours: np.ndarray, theirs: dict[str, np.ndarray]) -> Compared:
    """Under the blob's name; else the one result of as many elements."""
    other = theirs.get(key)
    if other is None:
        alike = [value for value in theirs.values() if value.size == ours.size]
        other = alike[0] if len(alike) == 1 else None
    shape = "x".join(map(str, ours.shape))
    if other is None or other.size != ours.size:
        sizes = ", ".join("x".join(map(str, value.shape)) for value in theirs.values())
        return Compared(net, key, shape, trouble=f"OpenCV has results of {sizes}")
    far = float(np.abs(ours.ravel() - other.ravel()).max(initial=0.0))
    return Compared(net, key, shape, float(np.abs(ours).max(initial=0.0)), far)
