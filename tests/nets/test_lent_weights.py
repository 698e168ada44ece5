"""Weights on their way from a file into a net are in memory once, or little more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import roastery
import roastery.caffe as caffe
from frontends.caffemodel import LayerWeights, read_lent_weights, read_weights, write_weights
from ir.errors import RoasteryError
from roastery.reading import nets
from tests.support.lowering import inputs

SIDE = 2048
NBYTES = 4 * SIDE * SIDE * 3


def net(side: int, layers: int = 3) -> str:
    return inputs(x=(1, side)) + "".join(
        f'layer {{ name: "ip{i}" type: "InnerProduct" bottom: "{"x" if i == 0 else f"ip{i - 1}"}" '
        f'top: "ip{i}" inner_product_param {{ num_output: {side} bias_term: false '
        'weight_filler { type: "gaussian" std: 0.01 } } }\n'
        for i in range(layers)
    )


def stored(folder: Path, side: int, layers: int = 3) -> dict[str, np.ndarray]:
    """A net's files, and its weights."""
    (folder / "net.prototxt").write_text(net(side))
    rng = np.random.default_rng(7)
    values = {f"ip{i}": rng.random((side, side), np.float32) - 0.5 for i in range(layers)}
    message = nets.net_from_text(net(side, layers))
    write_weights(folder / "net.caffemodel", message, {n: [v] for n, v in values.items()})
    return values


PEAK = """
import re, sys
from pathlib import Path
import roastery
roastery.compile  # imported when it is asked for
def peak():
    return 1024 * int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
before = peak()
net = roastery.compile("net.prototxt", "net.caffemodel", device="cpu", freeze=True)
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells the peak")
def test_they_are_in_memory_once(tmp_path: Path) -> None:
    stored(tmp_path, SIDE)
    environment = {**os.environ, "PYTHONPATH": str(Path(roastery.__file__).parents[1])}
    command = [sys.executable, "-c", PEAK]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 1.6 * NBYTES


@pytest.mark.parametrize("layers", [3, 2])
def test_they_arrive(tmp_path: Path, layers: int) -> None:
    values = stored(tmp_path, 24, layers)
    files = tmp_path / "net.prototxt", tmp_path / "net.caffemodel"
    filled = roastery.compile(files[0], device="reference", seed=3).parameters
    compiled = roastery.compile(*files, device="reference", seed=3).parameters
    layerwise = caffe.Net(*map(str, files), caffe.TEST, device="reference").params
    for name in ("ip0", "ip1", "ip2"):
        want = values.get(name)
        if want is None:  # the file has none: the filler's
            np.testing.assert_array_equal(compiled[name][0], filled[name][0])
            assert compiled[name][0].any()
            continue
        np.testing.assert_array_equal(compiled[name][0], want)
        np.testing.assert_array_equal(layerwise[name][0].data, want)


def test_a_net_that_refuses_its_weights_keeps_its_own(tmp_path: Path) -> None:
    stored(tmp_path, 24)
    (tmp_path / "other.prototxt").write_text(net(25))
    with pytest.raises(RoasteryError, match="24 x 24 there and 25 x 25"):
        roastery.compile(tmp_path / "other.prototxt", tmp_path / "net.caffemodel")
    kept = caffe.Net(str(tmp_path / "other.prototxt"), caffe.TEST, device="reference")
    before = {name: blobs[0].data.copy() for name, blobs in kept.params.items()}
    with pytest.raises(RoasteryError, match="24 x 24 there and 25 x 25"):
        kept.copy_from(str(tmp_path / "net.caffemodel"))
    for name, array in before.items():
        np.testing.assert_array_equal(kept.params[name][0].data, array)


def test_a_net_is_read_before_its_weights(tmp_path: Path) -> None:
    (tmp_path / "net.prototxt").write_text(net(4).replace("InnerProduct", "Innerproduct"))
    with pytest.raises(RoasteryError, match="Innerproduct"):
        roastery.compile(tmp_path / "net.prototxt", tmp_path / "none.caffemodel")


def test_what_is_lent_is_what_the_file_holds(tmp_path: Path) -> None:
    values = stored(tmp_path, 24)
    lent, content = read_lent_weights(tmp_path / "net.caffemodel")
    usual = read_weights(tmp_path / "net.caffemodel")

    def arrays(layers: list[LayerWeights]) -> dict[str, np.ndarray]:
        return {layer.name: layer.blobs[0] for layer in layers if layer.blobs}

    assert arrays(lent).keys() == values.keys()
    for name, want in values.items():
        np.testing.assert_array_equal(arrays(lent)[name], want)
        assert arrays(usual)[name].flags.aligned and arrays(usual)[name].flags.writeable
    # The file may become whatever it likes.
    (tmp_path / "net.caffemodel").write_bytes(b"")
    assert content is not None
    for name, want in values.items():
        target = np.zeros_like(want)
        content.move(arrays(lent)[name], target)
        np.testing.assert_array_equal(target, want)
