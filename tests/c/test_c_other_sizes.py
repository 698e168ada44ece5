"""Kernels are chosen for the sizes that a net was written for, and run at all others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe
from tests.support import golden, sample_nets
from tests.support.c_kernels import needs_compiler

pytestmark = needs_compiler
ROOT = Path(__file__).parents[2]

COUNTING = """
import os, sys
import numpy as np
import roastery

cache, net = sys.argv[1:]
os.environ["ROASTERY_CACHE"] = cache
run = roastery.compile(net, device="cpu", threads=2)
for shape in [(4, 3, 64, 64), (1, 3, 64, 64), (9, 3, 64, 64), (2, 3, 96, 52), (1, 3, 217, 219)]:
    run(data=np.ones(shape, np.float32))
    print(len(os.listdir(os.path.join(cache, "c", "kernels"))))
"""


def test_new_sizes_compile_nothing(tmp_path: Path) -> None:
    """Of batches and of images: kernels in the cache are counted."""
    net = tmp_path / "net.prototxt"
    net.write_text(
        sample_nets.inputs(data=(4, 3, 64, 64))
        + sample_nets.conv("conv1", "data", 24, 7, "stride: 2 pad: 3")
        + sample_nets.relu("conv1")
        + sample_nets.pool("pool1", "conv1", "pool: MAX kernel_size: 3 stride: 2")
        + sample_nets.layer("norm1", "LRN", "pool1")
        + sample_nets.conv("conv2", "norm1", 48, 3, "pad: 1")
        + sample_nets.conv("conv3", "conv2", 16, 1)
        + sample_nets.pool("pool2", "conv3", "pool: AVE global_pooling: true")
        + sample_nets.dense("ip", "pool2", 10)
        + sample_nets.layer("prob", "Softmax", "ip")
    )
    done = subprocess.run(
        [sys.executable, "-c", COUNTING, str(tmp_path / "cache"), str(net)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    counts = done.stdout.split()
    assert len(counts) == 5 and len(set(counts)) == 1, counts


@pytest.mark.parametrize("written", [64, 1])
def test_long_sums_at_other_batches(written: int, tmp_path: Path) -> None:
    """Gradients of weights, whose sums are split for some batches: in as many parts for others."""
    file = tmp_path / "net.prototxt"
    text = sample_nets.inputs(data=(written, 1, 28, 28)) + sample_nets.conv("conv", "data", 20, 5)
    file.write_text(f"force_backward: true\n{text}")
    nets = [caffe.Net(str(file), caffe.TRAIN, device=device) for device in ("cpu", "reference")]
    nets[0].params["conv"][0].data[...] = nets[1].params["conv"][0].data
    rng = np.random.default_rng(1)
    for batch in (3, 64, 1, written):
        x = rng.standard_normal((batch, 1, 28, 28), np.float32)
        seed = rng.standard_normal((batch, 20, 24, 24), np.float32)
        found = []
        for net in nets:
            net.blobs["data"].reshape(*x.shape)
            net.blobs["data"].data[...] = x
            net.clear_param_diffs()
            net.forward()
            net.blobs["conv"].diff[...] = seed
            net.backward()
            found.append([net.params["conv"][i].diff.copy() for i in (0, 1)])
        for ours, theirs in zip(*found, strict=True):
            assert golden.relative_error(ours, theirs) < 1e-5, batch
