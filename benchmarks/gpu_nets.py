"""A net on a GPU, in Roastery and in each way of running it in PyTorch: how exact, and how fast.

    python benchmarks/gpu_nets.py --net resnet50 --batch 64
    python benchmarks/gpu_nets.py --net lenet --modes eager,compile-tf32
    python benchmarks/gpu_nets.py --net resnet50 --precision tf32 --json times.json

The loss and every parameter's diff are compared with PyTorch in float64 on the same GPU, from the
same parameters and inputs (dropout, which draws other masks there, is left out). A time is the
median of single calls, each waited for; *queued* is that of a call among many with one wait.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from benchmarks.measured_net import measured_net, net_parser
from benchmarks.torch_nets import TorchNet
from frontends.prototxt import Message
from ir.program import NetProgram
from roastery.devices.backends import choose_device, open_backend
from runtime.net import PartitionedNet

DROPOUT = re.compile(r'layer \{[^{}]*type: "Dropout"[^{}]*(\{[^{}]*\}[^{}]*)*\}\n?')


@dataclass(frozen=True)
class Mode:
    """A way to run a net in PyTorch. ``compile``: a mode of torch.compile."""

    tf32: bool = False
    channels_last: bool = False
    half: bool = False  # autocast to bfloat16
    compile: str = ""


MODES = {
    "eager": Mode(),
    "eager-tf32": Mode(tf32=True),
    "eager-last": Mode(channels_last=True),
    "eager-last-tf32": Mode(tf32=True, channels_last=True),
    "eager-last-bf16": Mode(tf32=True, channels_last=True, half=True),
    "compile": Mode(compile="default"),
    "compile-tf32": Mode(tf32=True, compile="default"),
    "compile-last-tf32": Mode(tf32=True, channels_last=True, compile="default"),
    "compile-last-bf16": Mode(tf32=True, channels_last=True, half=True, compile="default"),
    "graphs-tf32": Mode(tf32=True, compile="reduce-overhead"),
    "tuned": Mode(compile="max-autotune"),
    "tuned-tf32": Mode(tf32=True, compile="max-autotune"),
    "tuned-last-tf32": Mode(tf32=True, channels_last=True, compile="max-autotune"),
}


@dataclass
class Times:
    """Milliseconds of one call."""

    forward: float
    step: float
    forward_queued: float
    step_queued: float


class TorchRun:
    """A net in one mode."""

    def __init__(
        self, message: Message, program: NetProgram, arrays: Mapping[str, np.ndarray], mode: Mode
    ) -> None:
        import torch

        self._torch = torch
        self.mode = mode
        self.net = TorchNet(message, program, arrays, "cuda")
        if mode.channels_last:
            for name, tensor in self.net.weights.items():
                if tensor.dim() == 4:
                    last = tensor.detach().to(memory_format=torch.channels_last)
                    self.net.weights[name] = last.requires_grad_(tensor.requires_grad)
            self.net.inputs = {
                name: t.to(memory_format=torch.channels_last) if t.dim() == 4 else t
                for name, t in self.net.inputs.items()
            }
        self._loss = self.net.loss
        if mode.compile:
            torch._dynamo.reset()
            self._loss = torch.compile(self.net.loss, mode=mode.compile)

    def loss(self) -> Any:
        torch, mode = self._torch, self.mode
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = mode.tf32
        torch.backends.cudnn.benchmark = True
        with torch.autocast("cuda", torch.bfloat16, enabled=mode.half):
            return self._loss()

    def forward(self) -> None:
        with self._torch.no_grad():
            self.loss()

    def step(self) -> None:
        self.net.step(self.loss)

    def times(self, repeats: int) -> Times:
        wait = self._torch.cuda.synchronize
        found = [timed(run, wait, repeats) for run in (self.forward, self.step)]
        return Times(found[0][0], found[1][0], found[0][1], found[1][1])


def timed(run: Callable[[], object], wait: Callable[[], None], repeats: int) -> tuple[float, float]:
    """Milliseconds of a call that is waited for, and of one among many."""
    for _ in range(3):
        run()
    wait()
    single = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        wait()
        single.append((time.perf_counter() - start) * 1e3)
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    wait()
    return statistics.median(single), (time.perf_counter() - start) * 1e3 / repeats


def own_times(net: PartitionedNet, repeats: int) -> Times:
    """Roastery's. The diffs grow with every step; nothing of it is read."""
    wait: Callable[[], None] = net.backend.synchronize  # type: ignore[attr-defined]
    found = [timed(run, wait, repeats) for run in (net.forward, net.training_pass)]
    return Times(found[0][0], found[1][0], found[0][1], found[1][1])


def differences(
    message: Message, net: PartitionedNet, arrays: Mapping[str, np.ndarray]
) -> dict[str, tuple[float, float, str]]:
    """Relative errors against float64: of the loss, and the largest of a diff with its name."""
    import torch

    torch.backends.cudnn.benchmark = False

    def of_torch(mode: Mode, double: bool = False) -> tuple[float, dict[str, np.ndarray]]:
        run = TorchRun(message, net.program, arrays, mode)
        if double:
            for name, t in run.net.weights.items():
                run.net.weights[name] = t.detach().double().requires_grad_(t.requires_grad)
            run.net.inputs = {name: t.double() for name, t in run.net.inputs.items()}
        loss = run.loss()
        loss.backward()
        grads = run.net.weights.items()
        found = {n: w.grad.double().cpu().numpy() for n, w in grads if w.grad is not None}
        return float(loss.detach()), found

    truth, exact = of_torch(Mode(), double=True)
    net.store.clear_diffs()
    loss = net.forward_backward()
    ours = {name: net.store.diff[name].peek() for name in exact}
    found: dict[str, tuple[float, float, str]] = {}
    others = {name: of_torch(MODES[name]) for name in ("eager", "eager-tf32")}
    for name, (value, diffs) in {"roastery": (loss, ours), **others}.items():
        errors = {k: _distance(diffs[k], exact[k]) for k in exact if np.linalg.norm(exact[k])}
        worst = max(errors, key=lambda k: np.nan_to_num(errors[k], nan=np.inf))
        found[name] = (abs(value / truth - 1), errors[worst], worst)
    torch.cuda.empty_cache()
    return found


def _distance(ours: np.ndarray, exact: np.ndarray) -> float:
    return float(np.linalg.norm(ours - exact) / np.linalg.norm(exact))


def main() -> None:
    parser = net_parser(__doc__, "lenet")
    parser.add_argument("--modes", default="eager,eager-tf32,eager-last-tf32,compile-tf32",
                        help=f"of PyTorch, with commas: {', '.join(MODES)}; or none")  # fmt: skip
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--compare", action=argparse.BooleanOptionalAction, default=True)
    args = parser.parse_args()
    chosen = measured_net(args, lambda text: DROPOUT.sub("", text))
    message = chosen.message
    net = chosen.built(open_backend(choose_device("cuda")))
    arrays = {name: b.peek() for name, b in net.store.data.items()}
    arrays |= {name: np.array(blob.data.peek()) for name, blob in net.inputs.items()}
    print(f"{chosen.name}, batch {chosen.batch}, {net.options}", flush=True)
    record: dict[str, Any] = {"net": chosen.name, "batch": chosen.batch}
    record["options"] = net.options.json()
    if args.compare:
        record["errors"] = differences(message, net, arrays)
        for name, (loss, error, worst) in record["errors"].items():
            print(f"{name:20} loss {loss:.1e}  diffs {error:.1e} ({worst})", flush=True)
    print(f"{'ms':20}{'forward':>10}{'queued':>10}{'step':>10}{'queued':>10}")
    record["milliseconds"] = {}

    def show(name: str, found: Times) -> None:
        record["milliseconds"][name] = vars(found)
        print(f"{name:20}{found.forward:10.3f}{found.forward_queued:10.3f}"
              f"{found.step:10.3f}{found.step_queued:10.3f}", flush=True)  # fmt: skip
        if args.json:
            Path(args.json).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")

    show("roastery", own_times(net, args.repeats))
    for name in args.modes.split(",") if args.modes != "none" else ():
        try:
            show(name, TorchRun(message, net.program, arrays, MODES[name]).times(args.repeats))
        except Exception as error:  # the other modes may do
            print(f"{name:20}{type(error).__name__}: {error}"[:300], flush=True)


if __name__ == "__main__":
    main()
