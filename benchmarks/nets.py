"""Times whole nets: forward, and forward with backward, on one device.

    python benchmarks/nets.py                         # LeNet on this machine's CPU
    python benchmarks/nets.py --device cuda --net googlenet --batch 32
    python benchmarks/nets.py --device interpret --net lenet --batch 2

Every run first compares the outputs and parameter diffs with ``reference`` on the same inputs.
On CUDA the same net is also built in PyTorch, and timed eager and under torch.compile
(mode="max-autotune"), in the same process. Caffe's own CPU time for LeNet at batch 64, forward and
backward, is about 24 ms on one core of the machine its values were recorded on.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # one core, as the figure for Caffe

import numpy as np

from examples.googlenet.make_net import googlenet
from ir.program import NetProgram
from roastery import nets
from roastery.devices import choose_device, open_backend
from runtime.backend import Backend
from runtime.executable import FusedNet
from runtime.reference import ReferenceBackend
from runtime.store import Store

CAFFE_LENET_MS = 24.0

LENET = """
name: "LeNet"
layer { name: "data" type: "Input" top: "data" top: "label"
  input_param { shape { dim: BATCH dim: 1 dim: 28 dim: 28 } shape { dim: BATCH } } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  convolution_param { num_output: 20 kernel_size: 5 weight_filler { type: "xavier" } } }
layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1"
  pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "conv2" type: "Convolution" bottom: "pool1" top: "conv2"
  convolution_param { num_output: 50 kernel_size: 5 weight_filler { type: "xavier" } } }
layer { name: "pool2" type: "Pooling" bottom: "conv2" top: "pool2"
  pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "ip1" type: "InnerProduct" bottom: "pool2" top: "ip1"
  inner_product_param { num_output: 500 weight_filler { type: "xavier" } } }
layer { name: "relu1" type: "ReLU" bottom: "ip1" top: "ip1" }
layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2"
  inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }
"""

NETS: dict[str, tuple[Callable[[int], str], int, int]] = {
    "lenet": (lambda batch: LENET.replace("BATCH", str(batch)), 64, 10),
    "googlenet": (googlenet, 32, 1000),
}
"""Net -> its prototxt for a batch size, the default batch size, the number of classes."""


def build(program: NetProgram, backend: Backend, classes: int) -> FusedNet:
    """The net with seeded parameters and inputs, equal on every backend."""
    net = FusedNet(program, backend, Store(program.cells, seed=1))
    random = np.random.default_rng(0)
    for name, buffer in net.inputs.items():
        shape = buffer.type.shape
        values = random.integers(0, classes, shape) if name == "label" else random.random(shape)
        buffer.array[...] = values
    return net


def compare(net: FusedNet, reference: FusedNet) -> float:
    """Largest relative difference of the loss and of any parameter's diff."""
    worst = 0.0
    losses = [n.forward_backward() for n in (net, reference)]
    worst = abs(losses[0] - losses[1]) / abs(losses[1])
    for name, buffer in reference.store.diff.items():
        ours, theirs = net.store.diff[name].array, buffer.array
        size = np.linalg.norm(theirs)
        if size:
            worst = max(worst, float(np.linalg.norm(ours - theirs) / size))
    return worst


def milliseconds(run: Callable[[], object], repeats: int) -> float:
    """Median time of one call."""
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--net", choices=[*NETS], default="lenet")
    parser.add_argument("--device", default=None, help="reference, cpu, cuda[:N] or interpret")
    parser.add_argument("--batch", type=int, default=None)
    parser.add_argument("--repeats", type=int, default=20)
    args = parser.parse_args()
    make, batch, classes = NETS[args.net]
    batch = args.batch or batch
    device = choose_device(args.device)
    message = nets.net_from_text(make(batch), f"{args.net}.prototxt")
    program = nets.lower(message, "TRAIN")
    net = build(program, open_backend(device), classes)
    print(f"{args.net}, batch {batch}, on {device}; {platform.machine()}, numpy {np.__version__}")
    if device != "reference":
        difference = compare(net, build(program, ReferenceBackend(), classes))
        print(f"largest relative difference from reference: {difference:.1e}")
    forward = milliseconds(net.forward, args.repeats)
    both = milliseconds(net.forward_backward, args.repeats)
    print(f"{'forward':<20}{forward:9.2f} ms")
    print(f"{'forward + backward':<20}{both:9.2f} ms", end="")
    if args.net == "lenet" and batch == 64 and device == "reference":
        print(f"   {both / CAFFE_LENET_MS:.2f} x Caffe's {CAFFE_LENET_MS:g} ms", end="")
    print()


if __name__ == "__main__":
    main()
