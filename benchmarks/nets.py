"""Times whole nets: forward, and forward with backward, on one device.

    python benchmarks/nets.py                         # LeNet on this machine's CPU
    python benchmarks/nets.py --device cuda --net googlenet --batch 32
    python benchmarks/nets.py --device interpret --net lenet --batch 2
    python benchmarks/nets.py --torch                 # beside PyTorch on the same CPU

Every run on another device first compares the loss and the parameter diffs with ``reference`` on
the same inputs. A ratio is Roastery's time over PyTorch's; on GPUs both meet in benchmarks/gpu.py.
Caffe's own CPU time for LeNet at batch 64, forward and backward, is about 24 ms
on one core of the machine its values were recorded on.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("OMP_NUM_THREADS", "1")  # one core, as the figure for Caffe
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.measured_net import chosen_net, net_parser
from benchmarks.torch_nets import TorchNet
from benchmarks.zoo import ZOO
from compiler.precision import IEEE
from frontends.prototxt import Message
from roastery.devices.backends import choose_device, open_backend
from runtime.backends.reference import ReferenceBackend
from runtime.net import PartitionedNet


def compare(net: PartitionedNet, reference: PartitionedNet) -> float:
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


def milliseconds(run: Callable[[], object], wait: Callable[[], None], repeats: int) -> float:
    """Median time of one call, after two that do not count."""
    times = []
    for count in range(repeats + 2):
        start = time.perf_counter()
        run()
        wait()
        if count >= 2:
            times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def torch_times(message: Message, net: PartitionedNet, repeats: int) -> tuple[float, float]:
    """Milliseconds of forward, and of forward and backward, of PyTorch eager on the CPU."""
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    arrays = {name: b.peek() for name, b in net.store.data.items()}
    arrays |= {name: blob.data.peek() for name, blob in net.inputs.items()}
    theirs = TorchNet(message, net.program, arrays, "cpu")
    loss, ours = float(theirs.loss().detach()), net.forward_loss()
    print(f"loss {ours:.6f}, PyTorch's {loss:.6f} (dropout draws other masks there)")
    with torch.no_grad():
        forward = milliseconds(theirs.loss, lambda: None, repeats)
    return forward, milliseconds(lambda: theirs.step(theirs.loss), lambda: None, repeats)


def main() -> None:
    parser = net_parser(__doc__, "lenet")
    parser.add_argument("--device", default=None, help="reference, cpu, cuda[:N] or interpret")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--torch", action="store_true", help="time PyTorch on the CPU, too")
    args = parser.parse_args()
    chosen = chosen_net(args)
    device = choose_device(args.device)
    backend = open_backend(device)
    net = chosen.built(backend)
    print(
        f"{chosen.name}, batch {chosen.batch}, on {device}, {net.options}; "
        f"{platform.machine()}, numpy {np.__version__}"
    )
    if device != "reference":
        difference = compare(net, chosen.built(ReferenceBackend(), IEEE))
        print(f"largest relative difference from reference: {difference:.1e}")
    wait = getattr(backend, "synchronize", lambda: None)
    ours = (
        milliseconds(net.forward, wait, args.repeats),
        milliseconds(net.forward_backward, wait, args.repeats),
    )
    found = {f"roastery {device}": ours}
    if args.torch:
        found["torch eager"] = torch_times(chosen.message, net, args.repeats)
    print(f"{'':22}{'forward':>12}{'ratio':>7}{'with backward':>16}{'ratio':>7}")
    for name, (forward, both) in found.items():
        print(f"{name:22}{forward:9.2f} ms{ours[0] / forward:7.2f}"
              f"{both:13.2f} ms{ours[1] / both:7.2f}")  # fmt: skip
    known = ZOO.get(chosen.name)
    if known and known.caffe_ms and chosen.batch == known.train_batch and device == "cpu":
        ratio = ours[1] / known.caffe_ms
        print(f"with backward {ratio:.2f} x Caffe's {known.caffe_ms:g} ms on one core")
    if args.json:
        record = {
            "net": chosen.name,
            "batch": chosen.batch,
            "options": net.options.json(),
            "milliseconds": found,
        }
        Path(args.json).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
