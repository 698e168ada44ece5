"""Sorting and non-maximum suppression on this machine's CPU, beside torchvision's and PyTorch's.

    python benchmarks/suppression.py                      # all cases, by one thread
    python benchmarks/suppression.py --threads 2 --only "SSD" --json suppression.json

Boxes lie around objects, as detectors find them, or anywhere. Sizes are those of RPN (22,800
anchors, of which the 6,000 best are looked at and 300 kept), of SSD (20 classes of 8,732 priors,
of which 400 are looked at, in 1 and in 32 images) and of YOLO. What is kept, and the order, is
compared with torchvision's and PyTorch's before anything is timed. Times are medians of rounds, of
which each contender has one after the other; a ratio is Roastery's time over theirs: less than 1 is
faster. torchvision comes with pip install 'roastery[bench]'; without it there are no ratios.
Ends with 1 where results differ.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from benchmarks.beside_torchvision import asked, medians, table
from compiler.options import CompileOptions
from ir import expr as e
from ir.build import Builder
from ir.graph import Graph, Value
from ir.ops.gather import Gather
from ir.ops.sort import TopK
from ir.ops.suppression import NonMaximum
from ir.types import I32, TensorType
from roastery.devices.backends import open_backend
from roastery.devices.compile_options import choose_threads
from runtime.memory.buffers import Buffer

Arrays = dict[str, np.ndarray]
Run = Callable[[], Any]
Found = list[np.ndarray]


@dataclass(frozen=True)
class Sizes:
    """``images`` times ``classes`` rows of so many ``boxes``, of which the ``best`` are looked at
    and ``most`` kept (0: all), each unless it overlaps a better one by more than ``threshold``."""

    images: int
    classes: int
    boxes: int
    best: int
    threshold: float
    most: int = 0

    @property
    def rows(self) -> int:
        return self.images * self.classes


@dataclass(frozen=True)
class Row:
    """What was found: milliseconds, and how many numbers differ."""

    case: str
    against: str
    ours: float
    theirs: float | None
    differ: int | None


@dataclass(frozen=True)
class Contender:
    """``run`` is timed; ``found`` tells what it computed, to be compared."""

    name: str
    run: Run
    found: Callable[[], Found]


@dataclass(frozen=True)
class Case:
    name: str
    arrays: Callable[[], Arrays]
    graph: Callable[[Arrays], Graph]
    theirs: Callable[[Any, Arrays], list[Contender]]
    told: Callable[[Found], Found]  # of our outputs: what others tell


# --- what is computed -----------------------------------------------------------------------


def around_objects(rows: int, count: int, objects: int) -> np.ndarray:
    """Boxes f32[rows, count, 4] of which each is near one of some objects."""
    rng = np.random.default_rng(0)
    centre = rng.uniform(0.1, 0.9, (rows, objects, 2))
    extent = rng.uniform(0.03, 0.33, (rows, objects, 2))
    whose = np.arange(rows)[:, None], rng.integers(0, objects, (rows, count))
    spread = rng.normal(0, 0.08, (2, rows, count, 2))
    middle = centre[whose] + spread[0] * extent[whose]
    half = extent[whose] * np.exp(2 * spread[1]) / 2
    return np.concatenate([middle - half, middle + half], axis=-1).astype(np.float32)


def anywhere(rows: int, count: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    corner, extent = rng.random((2, rows, count, 2))
    return np.concatenate([corner, corner + 0.3 * extent], axis=-1).astype(np.float32)


def scores(rows: int, count: int) -> np.ndarray:
    """f32[rows, count], most of them small, no two in a row alike."""
    rng = np.random.default_rng(1)
    found = 1 / (1 + np.exp(4 - 2 * rng.standard_normal((rows, count))))
    order = np.argsort(found, axis=1)
    ladder = np.sort(found.astype(np.float32), axis=1)
    for column in range(1, count):
        low = np.nextafter(ladder[:, column - 1], np.float32(2))
        ladder[:, column] = np.maximum(ladder[:, column], low)
    result = np.empty_like(ladder)
    np.put_along_axis(result, order, ladder, axis=1)
    return result


def as_told(found: Found) -> Found:
    return found


def suppression(sizes: Sizes) -> Callable[[Arrays], Graph]:
    """From scores and boxes to the places of those kept, the best first."""

    def graph(arrays: Arrays) -> Graph:
        b = Builder("suppression")
        given = b.input("scores", TensorType(arrays["scores"].shape))
        boxes = b.input("boxes", TensorType(arrays["boxes"].shape))
        counts = b.input("counts", TensorType((sizes.rows,), I32))
        _, places = b.emit_all(TopK(sizes.best, "first"), given)
        looked_at = _picked(b, boxes, places, sizes)
        kept, number = b.emit_all(NonMaximum(sizes.threshold, most=sizes.most), looked_at, counts)
        for name, value in (("places", places), ("kept", kept), ("number", number)):
            b.output(name, value)
        return b.finish()

    return graph


def _picked(b: Builder, boxes: Value, places: Value, sizes: Sizes) -> Value:
    """Boxes of a row by their places there."""
    flat = b.map(e.arg(0, I32) + e.index(0) * sizes.boxes, places)
    count = sizes.rows * sizes.best
    table = b.reshape(boxes, (sizes.rows * sizes.boxes, 4))
    rows = b.emit(Gather(), table, b.reshape(flat, (count,)))
    return b.reshape(rows, (sizes.rows, sizes.best, 4))


def kept_places(found: Found) -> Found:
    """Of each row."""
    places, kept, _ = found
    return [row[flags == 1] for row, flags in zip(places, kept, strict=True)]


def by_torchvision(sizes: Sizes) -> Callable[[Any, Arrays], list[Contender]]:
    """Row by row, and all rows of an image at once, whose boxes are moved apart for that."""

    def contenders(torch: Any, arrays: Arrays) -> list[Contender]:
        from torchvision.ops import batched_nms, nms

        given, boxes = (torch.from_numpy(arrays[name]) for name in ("scores", "boxes"))
        most = sizes.most or sizes.best
        shape = sizes.images, sizes.classes * sizes.best
        classes = torch.arange(sizes.classes).repeat_interleave(sizes.best)

        def best() -> tuple[Any, Any, Any]:
            top, places = torch.topk(given, sizes.best, dim=1)
            index = places.unsqueeze(2).expand(-1, -1, 4)
            return top, places, torch.gather(boxes, 1, index)

        def by_row() -> list[Any]:
            top, places, picked = best()
            return [
                place[nms(box, score, sizes.threshold)[:most]]
                for score, place, box in zip(top, places, picked, strict=True)
            ]

        def by_image() -> list[Any]:
            top, _, picked = best()
            picked, top = picked.view(*shape, 4), top.view(shape)
            return [
                batched_nms(box, score, classes, sizes.threshold)
                for score, box in zip(top, picked, strict=True)
            ]

        def found() -> Found:
            return [row.numpy() for row in by_row()]

        rows = [Contender("nms", by_row, found)]
        if sizes.classes > 1:
            rows.append(Contender("batched_nms", by_image, found))
        return rows

    return contenders


def alone(sizes: Sizes) -> Callable[[Arrays], Graph]:
    """Of boxes that are in order."""

    def graph(arrays: Arrays) -> Graph:
        b = Builder("suppression")
        boxes = b.input("boxes", TensorType(arrays["boxes"].shape))
        counts = b.input("counts", TensorType((sizes.rows,), I32))
        for name, value in zip(
            ("kept", "number"), b.emit_all(NonMaximum(sizes.threshold), boxes, counts), strict=True
        ):
            b.output(name, value)
        return b.finish()

    return graph


def alone_by_torchvision(sizes: Sizes) -> Callable[[Any, Arrays], list[Contender]]:
    def contenders(torch: Any, arrays: Arrays) -> list[Contender]:
        from torchvision.ops import nms

        boxes = torch.from_numpy(arrays["boxes"])
        order = torch.arange(sizes.boxes, 0, -1).float()

        def run() -> list[Any]:
            return [nms(row, order, sizes.threshold) for row in boxes]

        return [Contender("nms", run, lambda: [row.numpy() for row in run()])]

    return contenders


def largest(k: int) -> Callable[[Arrays], Graph]:
    def graph(arrays: Arrays) -> Graph:
        b = Builder("sorting")
        x = arrays["x"]
        type = TensorType(x.shape, I32) if x.dtype == np.int32 else TensorType(x.shape)
        for name, value in zip(
            ("values", "places"), b.emit_all(TopK(k, "first"), b.input("x", type)), strict=True
        ):
            b.output(name, value)
        return b.finish()

    return graph


def by_torch(k: int) -> Callable[[Any, Arrays], list[Contender]]:
    """The k largest in any order of equal ones; and a stable sort."""

    def contenders(torch: Any, arrays: Arrays) -> list[Contender]:
        x = torch.from_numpy(arrays["x"])

        def top() -> Any:
            return torch.topk(x, k, dim=1)

        def sort() -> Any:
            return torch.sort(x, dim=1, descending=True, stable=True)

        def found() -> Found:
            values, places = sort()
            return [values[:, :k].numpy(), places[:, :k].numpy()]

        return [Contender("topk", top, found), Contender("sort", sort, found)]

    return contenders


# --- cases ----------------------------------------------------------------------------------


def suppressed(name: str, sizes: Sizes, boxes: Callable[[int, int], np.ndarray]) -> Case:
    def arrays() -> Arrays:
        return {
            "scores": scores(sizes.rows, sizes.boxes),
            "boxes": boxes(sizes.rows, sizes.boxes),
            "counts": np.full(sizes.rows, sizes.best, np.int32),
        }

    return Case(name, arrays, suppression(sizes), by_torchvision(sizes), kept_places)


def in_order(name: str, sizes: Sizes, boxes: Callable[[int, int], np.ndarray]) -> Case:
    def arrays() -> Arrays:
        counts = np.full(sizes.rows, sizes.boxes, np.int32)
        return {"boxes": boxes(sizes.rows, sizes.boxes), "counts": counts}

    def told(found: Found) -> Found:
        return [np.flatnonzero(row) for row in found[0]]

    return Case(name, arrays, alone(sizes), alone_by_torchvision(sizes), told)


def sorting(name: str, rows: int, count: int, k: int) -> Case:
    return Case(name, lambda: {"x": scores(rows, count)}, largest(k), by_torch(k), as_told)


def flagged(name: str, rows: int, count: int, k: int) -> Case:
    """A tenth of them."""

    def arrays() -> Arrays:
        flags = np.random.default_rng(0).random((rows, count)) < 0.1
        return {"x": flags.astype(np.int32)}

    return Case(name, arrays, largest(k), by_torch(k), as_told)


def objects(number: int) -> Callable[[int, int], np.ndarray]:
    return lambda rows, count: around_objects(rows, count, number)


RPN = Sizes(1, 1, 22_800, 6000, 0.7, 300)
SSD = Sizes(1, 20, 8732, 400, 0.45)
BATCH = Sizes(32, 20, 8732, 400, 0.45)
YOLO = Sizes(1, 1, 845, 300, 0.45)

CASES = (
    suppressed("RPN, 40 objects", RPN, objects(40)),
    suppressed("RPN, anywhere", RPN, anywhere),
    suppressed("SSD, 8 objects", SSD, objects(8)),
    suppressed("SSD b32, 8 objects", BATCH, objects(8)),
    suppressed("YOLO, 10 objects", YOLO, objects(10)),
    in_order("6000 in order, 40 objects", Sizes(1, 1, 6000, 6000, 0.7), objects(40)),
    in_order("6000 in order, anywhere", Sizes(1, 1, 6000, 6000, 0.7), anywhere),
    in_order("640 x 400 in order", Sizes(32, 20, 400, 400, 0.45), objects(8)),
    sorting("6000 of 22,800", 1, 22_800, 6000),
    sorting("400 of 640 x 8732", 640, 8732, 400),
    sorting("400 of 20 x 8732", 20, 8732, 400),
    sorting("5 of 64 x 1000", 64, 1000, 5),
    sorting("100,000 of 100,000", 1, 100_000, 100_000),
    flagged("300 of 6000 flags", 1, 6000, 300),
    flagged("200 of 640 x 400 flags", 640, 400, 200),
)


# --- contenders -----------------------------------------------------------------------------


class Ours:
    """Roastery's way to compute a case."""

    def __init__(self, case: Case, arrays: Arrays, threads: int) -> None:
        backend = open_backend("cpu")
        options = CompileOptions(choose_threads(threads, backend.target))
        graph = case.graph(arrays)
        inputs = {p.key: Buffer(p.value.type) for p in graph.inputs}
        outputs = {p.key: Buffer(p.value.type) for p in graph.outputs}
        for port in graph.inputs:
            inputs[port.key].array[...] = arrays[port.name]
        self.run = backend.bind(graph, inputs, outputs, options).run
        self._outputs = [outputs[port.key] for port in graph.outputs]

    def found(self) -> Found:
        self.run()
        return [buffer.peek().copy() for buffer in self._outputs]


def different(ours: Found, theirs: Found) -> int:
    """Arrays that are not the same: of places those of a row."""
    return sum(not np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def rows(case: Case, options: argparse.Namespace, *, compared: bool) -> list[Row]:
    arrays = case.arrays()
    ours = Ours(case, arrays, options.threads)
    others: list[Contender] = []
    if compared:
        import torch

        torch.set_num_threads(options.threads)
        others = case.theirs(torch, arrays)
    told = case.told(ours.found())
    differ = [different(told, other.found()) for other in others]
    runs = [ours.run, *(other.run for other in others)]
    own, *times = medians(runs, options)
    if not others:
        return [Row(case.name, "", own, None, None)]
    return [
        Row(case.name, other.name, own, took, number)
        for other, took, number in zip(others, times, differ, strict=True)
    ]


HEAD = f"{'case':26} {'roastery':>9}   {'against':12} {'theirs':>9} {'ratio':>6} {'differ':>6}"


def line(row: Row) -> str:
    text = f"{row.case:26} {row.ours:9.3f}"
    if row.theirs is None:
        return text
    ratio = row.ours / row.theirs
    return f"{text}   {row.against:12} {row.theirs:9.3f} {ratio:6.2f} {row.differ:6}"


def main() -> int:
    options = asked(__doc__)

    def of(case: Case, compared: bool) -> Iterable[Row]:
        return rows(case, options, compared=compared)

    found = table(options, HEAD, CASES, of, lambda case, row: line(row))
    return int(any(row.differ for row in found))


if __name__ == "__main__":
    sys.exit(main())
