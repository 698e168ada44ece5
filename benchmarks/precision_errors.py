"""What each precision costs in exactness: whole nets by the reference, on random weights.

    python benchmarks/precision_errors.py lenet caffenet --batch 4

A graph of forward and backward is run in double precision, and as each precision has it: tf32 with
factors of products cut off, floats of 16 bits as the pass ``precision`` stores them. Told are the
errors of the loss, of the scores (largest, of the largest), and of all diffs of parameters (the
norm of the differences, of the norm).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from benchmarks.zoo import ZOO  # noqa: E402
from compiler.options import CompileOptions  # noqa: E402
from compiler.partitions.graphs import PartitionGraphs  # noqa: E402
from compiler.partitions.whole import whole  # noqa: E402
from compiler.passes.precision.loss_scale import LOSS_SCALE, LOSS_UNSCALE  # noqa: E402
from compiler.pipeline import run_passes  # noqa: E402
from compiler.precision import FLOAT16, PRECISIONS, TF32, narrow_type  # noqa: E402
from ir.graph import Graph, Role  # noqa: E402
from ir.interpret import GraphRun, run_node  # noqa: E402
from ir.op import Property  # noqa: E402
from ir.program import NetProgram  # noqa: E402
from roastery.building import NetRequest, lower_net  # noqa: E402
from roastery.building.logger import logger_report  # noqa: E402
from roastery.reading import nets  # noqa: E402
from runtime.memory.store import Store  # noqa: E402

SCALE = 2.0**15
OBSERVED = ("score", "prob", "fc8", "ip2", "loss3/classifier", "fc1000", "pool10")


def cut_off(array: np.ndarray) -> np.ndarray:
    """A factor as tf32 has it: what matrix units do not read is left out."""
    bits = array.astype(np.float32).view(np.uint32)
    return (bits & np.uint32(0xFFFFE000)).view(np.float32)


def run(graph: Graph, arrays: Sequence[np.ndarray], precision: str) -> list[np.ndarray]:
    if precision != TF32:
        return GraphRun(graph)(arrays)
    known = {port.value: array for port, array in zip(graph.inputs, arrays, strict=True)}
    for node in graph.nodes:
        inputs = [known[v] for v in node.inputs]
        if node.op.properties & Property.CONTRACTION:
            inputs = [cut_off(array) for array in inputs]
        known.update(zip(node.outputs, run_node(node, inputs), strict=True))
    return [known[port.value] for port in graph.outputs]


def joint(program: NetProgram, scaled: bool) -> Graph:
    found = [name for name in OBSERVED if name in program.blobs]
    cut = whole(program, found)
    part = cut.parts[0].with_scaled_diffs() if scaled else cut.parts[0]
    return PartitionGraphs(program, program.layers, part, cut.held).joint(part.training)


def arrays_of(graph: Graph, store: Store, classes: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    found: list[np.ndarray] = []
    for port in graph.inputs:
        shape = port.value.shape
        if port.role is Role.HYPER:
            numbers = {LOSS_SCALE: SCALE, LOSS_UNSCALE: 1 / SCALE}
            found.append(np.full(shape, numbers[port.name], np.float32))
        elif port.name in store.data:
            kept = store.diff if port.role is Role.GRADIENT else store.data
            found.append(kept[port.name].peek().copy())
        elif port.name == "label":
            found.append(rng.integers(0, classes, shape).astype(np.float32))
        else:
            found.append(rng.standard_normal(shape).astype(np.float32))
    return found


def errors(graph: Graph, ours: Sequence[np.ndarray], exact: Sequence[np.ndarray]) -> list[float]:
    """Of the loss, the scores, the diffs."""
    loss = scores = above = below = 0.0
    for port, a, b in zip(graph.outputs, ours, exact, strict=True):
        off = np.abs(a.astype(np.float64) - b)
        if port.role is Role.GRADIENT:
            above, below = above + float((off**2).sum()), below + float((b**2).sum())
        elif port.name in OBSERVED:
            scores = max(scores, float(off.max() / np.abs(b).max()))
        elif port.role is Role.RESULT and "loss" in port.name:
            loss = max(loss, float(off.max() / np.abs(b).max()))
    return [loss, scores, (above / below) ** 0.5]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("nets", nargs="+", choices=sorted(ZOO), metavar="NET")
    parser.add_argument("--batch", type=int, default=4)
    arguments = parser.parse_args()
    for name in arguments.nets:
        message = nets.net_from_text(ZOO[name].text(arguments.batch), f"{name}.prototxt")
        request = NetRequest(message, nets.state_message("TRAIN"))
        program = lower_net(request, logger_report()).program
        store = Store(program.variables, seed=1)
        plain = joint(program, scaled=False)
        arrays = arrays_of(plain, store, ZOO[name].classes)
        wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in arrays]
        exact = run(plain, wide, "ieee")
        for precision in PRECISIONS[:-1]:  # of the reference float32 is ieee
            graph = joint(program, scaled=precision == FLOAT16)
            if narrow_type(precision) is not None:
                graph = run_passes(graph, CompileOptions(precision=precision))
            given = arrays_of(graph, store, ZOO[name].classes)
            named = dict(zip((p.key for p in plain.inputs), arrays, strict=True))
            given = [named.get(p.key, a) for p, a in zip(graph.inputs, given, strict=True)]
            found = run(graph, given, precision)
            numbers = "  ".join(f"{e:.0e}" for e in errors(plain, found, exact))
            print(f"{name:<10} {precision:<9} loss, scores, diffs: {numbers}", flush=True)


if __name__ == "__main__":
    main()
