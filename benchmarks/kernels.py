"""Compares every op's kernels with the reference; on a GPU, times them beside PyTorch's ops.

    python benchmarks/kernels.py                      # tiny shapes under Triton's interpreter
    python benchmarks/kernels.py --device cuda        # real shapes on the GPU
    python benchmarks/kernels.py --device reference --shapes real --torch --only conv

Errors are relative to the largest element of the result in float64. Times are the median of
several runs, each of many calls. Roofline: the share of what the card's arithmetic or memory
allows, whichever binds; bytes are what must be read and written at least.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("OMP_NUM_THREADS", "1")  # one core, as the figure for Caffe
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.kernel_cases import CASES, Case
from compiler.options import CompileOptions
from ir.graph import Graph, PortKey
from ir.interpret import run_graph
from roastery.devices.backends import choose_device, open_backend
from runtime.backends.backend import Backend
from runtime.memory.buffers import Buffer

PEAKS = {  # FLOP/s of float32 without matrix units, bytes/s; from the makers' data sheets
    "H200": (67e12, 4.8e12),
    "H100": (67e12, 3.35e12),
    "A100": (19.5e12, 2.0e12),
    "L4": (30e12, 0.3e12),
}
FAILURE = 1e-4  # error from which on a kernel counts as wrong


@dataclasses.dataclass
class Row:
    """What was found for one case. Times in microseconds, errors relative."""

    op: str
    where: str
    error: float
    reference_error: float
    nbytes: int
    flops: float
    microseconds: float | None = None
    roofline: float | None = None
    torch_microseconds: float | None = None


def relative(results: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> float:
    """Largest difference, relative to the largest element."""
    worst = 0.0
    for ours, exact in zip(results, truth, strict=True):
        size = max(float(np.abs(exact).max(initial=0.0)), 1e-30)
        worst = max(worst, float(np.abs(ours - exact.astype(np.float64)).max(initial=0)) / size)
    return worst


def timed(run: Callable[[], object], wait: Callable[[], None], repeats: int) -> float:
    """Microseconds of one call."""
    run()
    wait()
    began = time.perf_counter()
    run()
    wait()
    once = max(time.perf_counter() - began, 1e-7)
    calls = max(1, min(1000, int(0.02 / once)))
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        for _ in range(calls):
            run()
        wait()
        times.append((time.perf_counter() - began) / calls)
    return statistics.median(times) * 1e6


def measure(case: Case, backend: Backend, options: argparse.Namespace, peaks: Any) -> Row:
    graph, arrays = case.graph(), case.inputs()
    wide = [a.astype(np.float64) if a.dtype == np.float32 else a for a in arrays]
    truth = run_graph(graph, wide)
    inputs, outputs = _buffers(graph)
    for port, array in zip(graph.inputs, arrays, strict=True):
        inputs[port.key].array[...] = array
    bound = backend.bind(graph, inputs, outputs, CompileOptions(backend.target))
    bound.run()
    results = [outputs[p.key].peek() for p in graph.outputs]
    ports = (*graph.inputs, *graph.outputs)
    row = Row(
        case.op,
        case.where,
        relative(results, truth),
        relative(run_graph(graph, arrays), truth),
        sum(p.value.type.nbytes for p in ports),
        case.flops,
    )
    if backend.name != "interpret":
        row.microseconds = timed(bound.run, _waiter(backend), options.repeats)
        if peaks is not None:
            limit = max(case.flops / peaks[0], row.nbytes / peaks[1]) * 1e6
            row.roofline = limit / row.microseconds
        if options.torch and case.torch is not None:
            row.torch_microseconds = _torch_time(case, arrays, backend, options.repeats)
    return row


def _buffers(graph: Graph) -> tuple[dict[PortKey, Buffer], dict[PortKey, Buffer]]:
    inputs, outputs = (
        {p.key: Buffer(p.value.type) for p in ports} for ports in (graph.inputs, graph.outputs)
    )
    return inputs, outputs


def _waiter(backend: Backend) -> Callable[[], None]:
    return getattr(backend, "synchronize", lambda: None)


def _torch_time(case: Case, arrays: Sequence[np.ndarray], backend: Backend, repeats: int) -> float:
    import torch

    torch.set_num_threads(1)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    on_gpu = backend.name.startswith("cuda")
    tensors = [torch.from_numpy(a).to(backend.name if on_gpu else "cpu") for a in arrays]
    function = case.torch
    assert function is not None
    with torch.no_grad():
        return timed(
            lambda: function(torch, *tensors),
            torch.cuda.synchronize if on_gpu else lambda: None,
            repeats,
        )


def _peaks(device: str) -> tuple[float, float] | None:
    """Of the card, where it is a known one."""
    if not device.startswith("cuda"):
        return None
    import torch

    name = torch.cuda.get_device_name(int(device.partition(":")[2] or 0))
    return next((peaks for model, peaks in PEAKS.items() if model in name), None)


HEAD = (
    f"{'op':26}{'shape of':22}{'error':>9}{'numpy':>9}"
    f"{'us':>11}{'GB/s':>9}{'GFLOP/s':>10}{'roofline':>10}{'torch us':>11}{'ratio':>7}"
)


def line(row: Row) -> str:
    text = f"{row.op:26}{row.where:22}{row.error:9.1e}{row.reference_error:9.1e}"
    if row.microseconds is None:
        return text
    seconds = row.microseconds * 1e-6
    text += f"{row.microseconds:11.1f}{row.nbytes / seconds / 1e9:9.1f}"
    text += f"{row.flops / seconds / 1e9:10.1f}"
    text += f"{row.roofline:10.0%}" if row.roofline is not None else f"{'':10}"
    if row.torch_microseconds is not None:
        ratio = row.microseconds / row.torch_microseconds
        text += f"{row.torch_microseconds:11.1f}{ratio:7.2f}"
    return text


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="interpret", help="interpret, cuda[:N] or reference")
    parser.add_argument("--shapes", choices=("tiny", "real"), help="default: real on cuda")
    parser.add_argument("--only", default="", help="ops whose name holds this text")
    parser.add_argument("--torch", action=argparse.BooleanOptionalAction, default=None,
                        help="time PyTorch's own op too (default: on cuda)")  # fmt: skip
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", metavar="FILE", help="write the numbers too")
    options = parser.parse_args()
    device = choose_device(options.device)
    on_gpu = device.startswith("cuda")
    if options.torch is None:
        options.torch = on_gpu
    real = (options.shapes or ("real" if on_gpu else "tiny")) == "real"
    backend = open_backend(device)
    peaks = _peaks(device)
    rows = []
    print(f"device {device}, {'real' if real else 'tiny'} shapes\n{HEAD}\n{'-' * len(HEAD)}")
    for case in CASES:
        if case.real == real and options.only in case.op:
            rows.append(measure(case, backend, options, peaks))
            print(line(rows[-1]), flush=True)
    wrong = [row for row in rows if not row.error <= FAILURE]
    print(f"{len(rows)} kernels compared with float64, {len(wrong)} wrong")
    if options.json:
        found = {"device": device, "numpy": np.__version__,
                 "rows": [dataclasses.asdict(row) for row in rows]}  # fmt: skip
        Path(options.json).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
