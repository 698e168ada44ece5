"""What Caffe computed, replayed through the pycaffe interface on the reference.

Every file of ``tests/data/golden/layers`` is one net with its inputs, and the outputs,
gradients and changed parameters that Caffe 1.0 gave on a CPU.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe

FOLDER = Path(__file__).parents[1] / "data" / "golden" / "layers"
NAMES = sorted(p.stem for p in FOLDER.glob("*.npz"))
TOLERANCE = 2e-5


def relative_error(a: np.ndarray, b: np.ndarray) -> float:
    """Distance relative to the size of ``b``, or to 1e-3 where ``b`` is smaller than that."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    assert a.squeeze().shape == b.squeeze().shape
    distance = np.linalg.norm(a.reshape(b.shape) - b)
    return float(distance / max(np.linalg.norm(b), 1e-3 * np.sqrt(b.size)))


def test_there_are_cases() -> None:
    assert len(NAMES) >= 100


@pytest.mark.parametrize("name", NAMES)
def test_equals_caffe(name: str, tmp_path: Path) -> None:
    with np.load(FOLDER / f"{name}.npz") as file:
        case = dict(file)
    path = tmp_path / "net.prototxt"
    path.write_bytes(case["prototxt"].tobytes())
    net = caffe.Net(
        str(path), caffe.TRAIN if str(case["phase"]) == "TRAIN" else caffe.TEST, device="reference"
    )

    def parameter(place: str):
        layer, i = place.rsplit("/", 1)
        return net.params[layer][int(i)]

    recorded = [key.partition("/")[::2] for key in case if "/" in key]
    for kind, rest in recorded:
        if kind == "param":
            parameter(rest).data[...] = case[f"{kind}/{rest}"]
        elif kind == "in":
            net.blobs[rest].data[...] = case[f"{kind}/{rest}"]
    outputs = net.forward()
    got = {}
    for kind, rest in recorded:
        if kind == "out":
            got[kind, rest] = outputs[rest].copy()
        elif kind == "param_after":
            got[kind, rest] = parameter(rest).data.copy()
        elif kind == "top_diff":
            net.blobs[rest].diff[...] = case[f"{kind}/{rest}"]
    if any(kind.endswith("_diff") for kind, _ in recorded):
        net.backward()
    for kind, rest in recorded:
        if kind == "in_diff":
            got[kind, rest] = net.blobs[rest].diff
        elif kind == "param_diff":
            got[kind, rest] = parameter(rest).diff
    assert got
    errors = {
        f"{kind}/{rest}": relative_error(array, case[f"{kind}/{rest}"])
        for (kind, rest), array in got.items()
    }
    assert {k: v for k, v in errors.items() if not v <= TOLERANCE} == {}
