"""Layers of regions on this machine's CPU, beside torchvision's ops, in one process and in turn.

    python benchmarks/regions.py                      # all cases, by one thread
    python benchmarks/regions.py --clock thread       # where others use the processors, too
    python benchmarks/regions.py --threads 2 --only roi_align --json regions.json

Sizes are those of Faster R-CNN (VGG-16) and R-FCN: an image of 600 x 800, a sixteenth as large in
the features, with 300 regions. Results and diffs are compared before anything is timed (1e-4, by
norms). Times are medians of rounds, of which each contender has one after the other; a ratio is
Roastery's time over torchvision's: less than 1 is faster. Forward keeps what backward needs, for
both. torchvision comes with pip install 'roastery[bench]'; without it there are no ratios. Its
wheel needs the PyTorch that was built with it, the one for CUDA. Ends with 1 where results differ.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from benchmarks.beside_torchvision import asked, medians, table
from compiler.options import CompileOptions
from compiler.passes.autodiff import diff_port, differentiate
from frontends.lowering.known_layers import load_layers
from frontends.lowering.net import lower_layers
from frontends.prototxt import parse_text
from ir.graph import Direction, Graph, Port, Role
from roastery.devices.backends import open_backend
from roastery.devices.compile_options import choose_threads
from runtime.memory.buffers import Buffer

TOLERANCE = 1e-4
SCALE = 1 / 16
REGIONS, ROWS, COLUMNS = 300, 38, 50
VGG = (1, 512, ROWS, COLUMNS)
RFCN = (1, 21 * 49, ROWS, COLUMNS)

Arrays = tuple[np.ndarray, ...]
Steps = dict[str, Callable[[], Any]]
"""What is timed, by name."""
STEPS = ("forward", "backward")


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Attributes:
        graph: computes it, from inputs in the order of ``arrays``; the first of its outputs counts.
        theirs: the same in torchvision, called with the module and tensors.
        moved: whether the first input gets a diff, which is timed, too.
    """

    name: str
    sizes: str
    graph: Callable[[], Graph]
    arrays: Callable[[], Arrays]
    theirs: Callable[..., Any]
    moved: bool = True


@dataclass(frozen=True)
class Row:
    """What was found: milliseconds, and the largest difference from torchvision."""

    case: str
    step: str
    ours: float
    theirs: float | None
    difference: float | None


# --- cases ----------------------------------------------------------------------------------


def on_features(shape: tuple[int, ...], whole: bool = False) -> Callable[[], Arrays]:
    """Features, and regions of all sizes, as proposals have them. ``whole``: they begin and end
    between pixels of the features, where R-FCN and torchvision round alike, and reach neither the
    last row nor the last column, which torchvision leaves out."""

    def arrays() -> Arrays:
        rng = np.random.default_rng(0)
        width, height = COLUMNS / SCALE, ROWS / SCALE
        size = np.exp(rng.uniform(np.log(40), np.log(500), (REGIONS, 2)))
        corner = rng.uniform(0, 1, (REGIONS, 2)) * [width, height] - size / 4
        last = np.minimum(corner + size, [width - 1, height - 1])
        corner = np.clip(corner, 0, last - 16)
        if whole:
            corner, last = (np.floor(a * SCALE) / SCALE for a in (corner, last))
            last -= 1
        regions = np.column_stack([np.zeros(REGIONS), corner, last]).astype(np.float32)
        return rng.standard_normal(shape, dtype=np.float32), regions

    return arrays


def layer_graph(kind: str, param: str, shape: tuple[int, ...]) -> Callable[[], Graph]:
    """A layer of features and regions as a graph."""

    def graph() -> Graph:
        load_layers()
        dims = [" ".join(f"dim: {d}" for d in s) for s in (shape, (REGIONS, 5))]
        inputs = " ".join(f"shape {{ {d} }}" for d in dims)
        text = (
            f'layer {{ name: "in" type: "Input" top: "x" top: "r" input_param {{ {inputs} }} }}'
            f'layer {{ name: "l" type: "{kind}" bottom: "x" bottom: "r" top: "y" {param} }}'
        )
        net = parse_text(text, "NetParameter", "regions.prototxt")
        return lower_layers(net, "TRAIN").program.graph

    return graph


def case(
    name: str,
    sizes: str,
    kind: str,
    param: str,
    shape: tuple[int, ...],
    theirs: Callable[..., Any],
    whole: bool = False,
) -> Case:
    return Case(name, sizes, layer_graph(kind, param, shape), on_features(shape, whole), theirs)


_GRID = f"pooled_h: 7 pooled_w: 7 spatial_scale: {SCALE}"

CASES = (
    case(
        "roi_pool",
        "VGG-16, 300 of 512x38x50",
        "ROIPooling",
        f"roi_pooling_param {{ {_GRID} }}",
        VGG,
        lambda ops, x, r: ops.roi_pool(x, r, 7, SCALE),
    ),
    case(
        "roi_align 2x2",
        "VGG-16, 300 of 512x38x50",
        "ROIAlign",
        f"roi_align_param {{ {_GRID} sampling_ratio: 2 }}",
        VGG,
        lambda ops, x, r: ops.roi_align(x, r, 7, SCALE, 2),
    ),
    case(
        "roi_align",
        "VGG-16, 300 of 512x38x50",
        "ROIAlign",
        f"roi_align_param {{ {_GRID} }}",
        VGG,
        lambda ops, x, r: ops.roi_align(x, r, 7, SCALE),
    ),
    case(
        "ps_roi_pool",
        "R-FCN, 300 of 21x49x38x50",
        "PSROIPooling",
        f"psroi_pooling_param {{ spatial_scale: {SCALE} output_dim: 21 group_size: 7 }}",
        RFCN,
        lambda ops, x, r: ops.ps_roi_pool(x, r, 7, SCALE),
        whole=True,
    ),
)


# --- contenders -----------------------------------------------------------------------------


def halves(graph: Graph) -> tuple[Graph, Graph]:
    """Forward, with all that backward reads of it, and backward to the diff of the first input."""
    x, top = graph.inputs[0], graph.outputs[0]
    whole = differentiate(graph, diffs={x.name: x.value})
    first = tuple(n for n in whole.nodes if n.direction is Direction.FORWARD)
    second = tuple(n for n in whole.nodes if n.direction is not Direction.FORWARD)
    read = dict.fromkeys(value for node in second for value in node.inputs)
    kept = [value for node in first for value in node.outputs if value in read]

    def ports(role: Role) -> tuple[Port, ...]:
        return tuple(Port(f"kept:{value.name}", value, role) for value in kept)

    given = tuple(port for port in whole.inputs if port.value in read)
    return (
        Graph("forward", graph.inputs, first, (top, *ports(Role.RESULT))),
        Graph("backward", (*given, *ports(Role.DATA)), second, (whole.outputs[-1],)),
    )


class Ours:
    """Roastery's steps of a case, and what they compute: the same, by name."""

    def __init__(self, case: Case, arrays: Arrays, threads: int) -> None:
        backend = open_backend("cpu")
        options = CompileOptions(choose_threads(threads, backend.target))
        graph = case.graph()
        graphs = halves(graph) if case.moved else (graph,)
        self._buffers: dict[str, Buffer] = {}
        self._results = [part.outputs[0].name for part in graphs]
        self.steps: Steps = {}
        for step, part in zip(STEPS, graphs, strict=False):
            inputs, outputs = (
                {port.key: self._buffer(port) for port in ports}
                for ports in (part.inputs, part.outputs)
            )
            self.steps[step] = backend.bind(part, inputs, outputs, options).run
        for port, array in zip(graph.inputs, arrays, strict=True):
            self._buffers[port.name].array[...] = array
        if case.moved:
            self._buffers[diff_port(self._results[0])].array[...] = seed(
                graph.outputs[0].value.shape
            )

    def _buffer(self, port: Port) -> Buffer:
        return self._buffers.setdefault(port.name, Buffer(port.value.type))

    def results(self) -> list[np.ndarray]:
        for run in self.steps.values():
            run()
        return [self._buffers[name].peek() for name in self._results]


class Theirs:
    """Torchvision's."""

    def __init__(self, case: Case, arrays: Arrays, threads: int) -> None:
        import torch
        import torchvision

        torch.set_num_threads(threads)
        tensors = [torch.from_numpy(array) for array in arrays]
        x = tensors[0].requires_grad_(case.moved)
        forward = functools.partial(case.theirs, torchvision.ops, *tensors)
        top = forward()
        self._top = top.detach().numpy()
        self.steps: Steps = {"forward": forward}
        if case.moved:
            diff = torch.from_numpy(seed(tuple(top.shape)))
            self.steps["backward"] = lambda: torch.autograd.grad(top, x, diff, retain_graph=True)

    def results(self) -> list[np.ndarray]:
        diffs = [self.steps[step]()[0].numpy() for step in STEPS[1:] if step in self.steps]
        return [self._top, *diffs]


def seed(shape: tuple[int, ...]) -> np.ndarray:
    """The diff of a top."""
    return np.random.default_rng(1).standard_normal(shape, dtype=np.float32)


def distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Relative to the size of theirs."""
    return float(np.linalg.norm(ours - theirs) / max(float(np.linalg.norm(theirs)), 1e-30))


def rows(case: Case, options: argparse.Namespace, *, compared: bool) -> list[Row]:
    arrays = case.arrays()
    ours = Ours(case, arrays, options.threads)
    theirs = Theirs(case, arrays, options.threads) if compared else None
    pairs = zip(ours.results(), theirs.results(), strict=True) if theirs else ()
    distances = [distance(*pair) for pair in pairs]
    contenders = [ours.steps] + ([theirs.steps] if theirs else [])
    found = []
    for number, step in enumerate(ours.steps):
        times = medians([steps[step] for steps in contenders], options)
        difference = distances[number] if distances else None
        found.append(Row(case.name, step, times[0], times[1] if theirs else None, difference))
    return found


HEAD = (
    f"{'op':14} {'sizes':26} {'':8} {'roastery':>9} {'torchvision':>12} {'ratio':>6} "
    f"{'difference':>10}"
)


def line(case: Case, row: Row) -> str:
    text = f"{case.name:14} {case.sizes:26} {row.step:8} {row.ours:9.2f}"
    if row.theirs is None:
        return text
    return f"{text} {row.theirs:12.2f} {row.ours / row.theirs:6.2f} {row.difference:10.1e}"


def main() -> int:
    options = asked(__doc__)

    def of(case: Case, compared: bool) -> Iterable[Row]:
        return rows(case, options, compared=compared)

    found = table(options, HEAD, CASES, of, line)
    return int(any(row.difference is not None and row.difference > TOLERANCE for row in found))


if __name__ == "__main__":
    sys.exit(main())
