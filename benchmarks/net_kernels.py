"""Times every kernel of a net's training pass on a GPU, in the pass itself.

    python benchmarks/net_kernels.py --net resnet50 --batch 64 --json kernels.json

The times are those of PyTorch's profiler, which sees all kernels of a process. Bytes are what a
kernel asks of its tensors, of each at most once; FLOPs are those of its matrix product. The
share of the roofline is by the memory's bandwidth, or the matrix units at their highest rate.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from benchmarks.measured_net import chosen_net, net_parser
from compiler.compiled import CompiledGraph
from compiler.kernels.task import AsNumber
from compiler.plan.plan import PlanLaunch
from compiler.target import Target
from compiler.triton.cost.prediction import Prediction, predictions
from ir.graph import Graph
from ir.size import Evaluation
from roastery.devices.backends import choose_device, open_backend
from runtime.cuda.backend import CudaBackend
from runtime.net import PartitionedNet

PASSES = 5


@dataclass
class Row:
    """One launch. Times in microseconds."""

    graph: str
    label: str
    layer: str
    entry: str
    grid: tuple[int, ...]
    constants: dict[str, int]
    warps: int
    stages: int
    registers: int
    shared: int
    spilled: int
    nbytes: int
    flops: int
    least: float  # by the roofline
    predicted: float  # by the cost model
    microseconds: float = 0.0


def launched(compiled: CompiledGraph, target: Target) -> Iterator[Prediction]:
    """Of every launch, in the order in which they run: of a loop, turn by turn."""
    plan = compiled.plan
    known = {
        (found.launch.label, found.launch.kernel.entry): found
        for found in predictions(compiled, target)
    }
    for step in plan.plain_steps:
        if isinstance(step, PlanLaunch) and 0 not in step.grid:
            yield known[step.label, plan.kernels[step.kernel].entry]


def row_of(backend: CudaBackend, graph: Graph, found: Prediction, number: AsNumber) -> Row:
    launch = found.launch
    resources = backend.kernels.binaries[launch.kernel, launch.config].resources
    return Row(
        graph=graph.name,
        label=launch.label,
        layer=str(launch.location),
        entry=launch.kernel.entry,
        grid=tuple(map(number, launch.grid)),
        constants=dict(launch.config.constants),
        warps=launch.config.num_warps,
        stages=launch.config.num_stages,
        registers=resources.registers,
        shared=resources.shared,
        spilled=resources.stack + resources.local,
        nbytes=found.nbytes,
        flops=found.flops,
        least=1e6 * found.least,
        predicted=1e6 * found.time.seconds,
    )


def rows_of(backend: CudaBackend, net: PartitionedNet, graph: Graph, values: Any) -> Iterator[Row]:
    """The launches of a graph, as they run."""
    compiled = backend.compiler(graph, net.options).at(values)
    number = Evaluation(compiled.values).size
    for found in launched(compiled, backend.target):
        yield row_of(backend, graph, found, number)


def events_of(run: Any, wait: Any, passes: int) -> list[dict[str, Any]]:
    """What the device did in some passes, in order: the profiler's trace."""
    import torch

    torch.cuda.init()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        for _ in range(passes):
            run()
        wait()
        torch.cuda.synchronize()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profile.export_chrome_trace(str(path))
        trace = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    kinds = ("kernel", "gpu_memcpy", "gpu_memset")
    found = [event for event in trace if event.get("cat") in kinds]
    return sorted(found, key=lambda event: event["ts"])


def main() -> None:
    parser = net_parser(__doc__, "resnet50")
    parser.add_argument("--shown", type=int, default=25, help="rows of the table")
    args = parser.parse_args()
    chosen = chosen_net(args)
    backend = open_backend(choose_device("cuda"))
    assert isinstance(backend, CudaBackend)
    bound: list[tuple[Graph, Any]] = []
    bind = backend.bind

    def remember(graph: Graph, *rest: Any, **named: Any) -> Any:
        bound.append((graph, rest[3] if len(rest) > 3 else named.get("values")))
        return bind(graph, *rest, **named)

    backend.bind = remember  # type: ignore[method-assign]
    net = chosen.built(backend)
    for _ in range(4):  # captured by then
        net.training_pass()
    backend.synchronize()
    times = []
    for _ in range(10):
        start = time.perf_counter()
        net.training_pass()
        backend.synchronize()
        times.append((time.perf_counter() - start) * 1e6)
    rows = [row for graph, values in bound for row in rows_of(backend, net, graph, values)]
    events = events_of(net.training_pass, backend.synchronize, PASSES)
    kernels = [event for event in events if event["cat"] == "kernel"]
    names = [event["name"] for event in kernels]
    wall = statistics.median(times)
    print(f"{chosen.name}, batch {chosen.batch}, {net.options}: {len(rows)} launches, "
          f"{wall:.0f} us a pass")  # fmt: skip
    matched = names == [row.entry for row in rows] * PASSES
    if matched:
        for place, row in enumerate(rows):
            row.microseconds = statistics.median(
                kernels[place + turn * len(rows)]["dur"] for turn in range(PASSES)
            )
    else:
        print(f"the profiler saw {len(names)} kernels, {len(rows) * PASSES} expected")
    busy = sum(event["dur"] for event in events) / PASSES
    copies = [event for event in events if event["cat"] != "kernel"]
    print(f"the device was busy for {busy:.0f} us of a pass, {len(copies) / PASSES:g} copies "
          f"taking {sum(e['dur'] for e in copies) / PASSES:.0f} us")  # fmt: skip
    show(rows, args.shown)
    if args.json:
        record = {
            "net": chosen.name, "batch": chosen.batch, "options": net.options.json(), "wall": wall,
            "busy": busy, "matched": matched, "rows": [vars(row) for row in rows],
            "copies": [[e["name"], e["dur"], e["args"].get("bytes")] for e in copies],
        }  # fmt: skip
        if not matched:
            record["events"] = [[e["name"], e["ts"], e["dur"]] for e in kernels]
        Path(args.json).write_text(json.dumps(record) + "\n", encoding="utf-8")


def show(rows: list[Row], count: int) -> None:
    total = sum(row.microseconds for row in rows) or np.nan
    kinds: dict[str, list[Row]] = {}
    for row in rows:
        kinds.setdefault(row.entry, []).append(row)
    for kind, members in sorted(kinds.items(), key=lambda x: -sum(r.microseconds for r in x[1])):
        spent = sum(row.microseconds for row in members)
        print(f"{kind:24}{len(members):5} launches{spent:10.0f} us{spent / total:7.1%}"
              f"{sum(r.nbytes for r in members) / 1e9:8.2f} GB"
              f"{sum(r.flops for r in members) / 1e9:9.1f} GFLOP")  # fmt: skip
    print(f"{'us':>8}{'GB/s':>7}{'TFLOP/s':>9}{'roofline':>9}  kernel")
    for row in sorted(rows, key=lambda row: -row.microseconds)[:count]:
        us = row.microseconds or np.nan
        print(f"{row.microseconds:8.1f}{row.nbytes / us / 1e3:7.0f}{row.flops / us / 1e6:9.1f}"
              f"{row.least / us:9.0%}"
              f"  {row.graph} {row.label} {row.grid} {row.constants} {row.registers} registers"
              f"{f', {row.spilled} spilled' if row.spilled else ''}")  # fmt: skip


if __name__ == "__main__":
    main()
