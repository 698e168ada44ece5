"""Nets that sort boxes and suppress some, as C and as artifacts: what they find is what device cpu
finds."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from roastery.api.exporting import export_net
from runtime.artifact import load
from tests.support import c_kernels
from tests.support.exported_c import SANITIZED, built, exported, on_cpu, run, saved
from tests.support.overlapping_boxes import anywhere
from tests.support.sample_nets import inputs, layer

IMAGES, CLASSES, PRIORS = 2, 5, 70
PARAM = f"""detection_output_param {{
    num_classes: {CLASSES} nms_param {{ nms_threshold: 0.45 top_k: 40 }} confidence_threshold: 0.02
}}"""
NET = (
    inputs(loc=(IMAGES, 4 * PRIORS), conf=(IMAGES, CLASSES * PRIORS), prior=(1, 2, 4 * PRIORS))
    + layer("det", "DetectionOutput", "loc conf prior", PARAM)
    + layer("best", "ArgMax", "conf", "argmax_param { top_k: 30 out_max_val: true }")
)


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    priors = [anywhere(rng, 1, PRIORS).ravel(), np.full(4 * PRIORS, 0.1)]
    return {
        "loc": rng.standard_normal((IMAGES, 4 * PRIORS)).astype(np.float32),
        "conf": rng.random((IMAGES, CLASSES * PRIORS)).astype(np.float32),
        "prior": np.array([priors], np.float32).reshape(1, 2, -1),
    }


def check(found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> None:
    rows = expected["det"].reshape(-1, 7)
    assert 20 < len(rows) < IMAGES * CLASSES * 40  # some were suppressed
    got = found["det"].reshape(-1, 7)[: len(rows)]
    np.testing.assert_allclose(got, rows, rtol=1e-5, atol=1e-6)  # places round as compilers like
    np.testing.assert_array_equal(found["best"], expected["best"])


@c_kernels.needs_compiler
@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_exported(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    folder = exported(NET, tmp_path)
    built(folder, "gcc", SANITIZED)
    done = run(folder, *saved(folder, arrays), "--output=results")
    assert (done.returncode, done.stderr) == (0, "")
    found = {name: np.load(folder / f"results/{name}.npy") for name in ("det", "best")}
    check(found, on_cpu(folder, arrays))


@c_kernels.needs_compiler
def test_an_artifact(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    folder = exported(NET, tmp_path)
    export_net(tmp_path / "net.prototxt", None, tmp_path / "net.roast", ["cpu"])
    net = load(tmp_path / "net.roast", "cpu")
    check(net(**arrays), on_cpu(folder, arrays))
