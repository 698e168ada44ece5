"""First which pairs of boxes overlap too much, a bit each; then one program for a row goes through
them in their order."""

from __future__ import annotations

from compiler.kernel import Config, Scratch
from compiler.kernels.builder import KernelBuilder
from compiler.kernels.expressions import (
    SCALAR,
    across,
    both_bits,
    cdiv,
    constant,
    either_bits,
    element,
    read,
)
from compiler.kernels.nodes import KernelBody, Kind
from compiler.kernels.schedules.single import pointer_to
from compiler.kernels.task import Task
from ir import expr as e
from ir.expr import Expr
from ir.graph import Node, Value
from ir.types import I32

from .boxes import RowsOfBoxes

_WORD = 32  # bits
_MOST_BYTES = 2**30


def by_pairs(task: Task, node: Node) -> bool:
    """Whether it can be done so: one threshold is for all of them, and there is memory."""
    boxes = RowsOfBoxes(task, node, task.builder())
    if task.heuristic.one_thread or boxes.falls:
        return False
    return task.number(_overlaps(node).nbytes) <= _MOST_BYTES


def overlaps_kernel(task: Task, node: Node, config: Config) -> KernelBody:
    """A program has some boxes in its lanes, and holds each against 32 in their order."""
    builder = _begin(task, node)
    boxes = RowsOfBoxes(task, node, builder)
    size, overlaps = boxes.size, builder.pointer(_overlaps(node), I32, "overlaps")
    chunks = builder.let(cdiv(size, e.const(_WORD)), "i", "chunks")
    blocks = builder.let(cdiv(size, constant("BLOCK")), "i", "blocks")
    program = builder.let(builder.program(), "i", "program")
    line = builder.let(program // blocks, "i", "line")  # of a row and a chunk
    start = builder.let(program % blocks * constant("BLOCK"), "i", "start")
    row = builder.let(line // chunks, "i", "row")
    first = builder.let(line % chunks * _WORD, "i", "first")
    count = boxes.count(row)
    with builder.when((first < count) & (start < first + _WORD)):
        place = builder.let(start + builder.lanes("BLOCK"), "i", "place")
        inside = builder.let(place < count, "m", "inside")
        own = boxes.at(row, place, (inside,))
        word = builder.declare(e.const(0), frozenset({0}), "i", "word")
        mark = builder.declare(e.const(1), SCALAR, "i", "mark")
        with builder.loop(e.const(_WORD), hint="turn") as turn:
            other = builder.let(first + turn, "i", "other")
            there = builder.let(other < count, "m", "there")
            shared = boxes.shared(own, boxes.at(row, other, (there,)))
            exceeds = boxes.exceeds(shared, e.const(boxes.threshold))
            marked = builder.let(exceeds & (place < other) & there, "m", "marked")
            builder.assign(word, either_bits(word, e.where(marked, mark, 0)))
            builder.assign(mark, mark + mark)
        builder.store(element(overlaps, line * size + place, (inside,)), word)
    grid = -(-boxes.length // config["BLOCK"]) * boxes.rows * _words(node)
    why = f"which of {boxes.length} boxes a row overlap too much"
    writes = (_overlaps(node),)
    return task.kernel(
        builder, "overlap_bits", ("BLOCK",), config, (grid, 1), why, ".overlaps", writes
    )


def scan_kernel(task: Task, node: Node, builder: KernelBuilder, config: Config) -> KernelBody:
    """A program for a row, which decides of 32 boxes at a time: first which of them any box before
    them overlaps that was kept, then of each in turn whether another one of them does."""
    boxes = RowsOfBoxes(task, node, builder)
    size, overlaps = boxes.size, builder.pointer(_overlaps(node), I32, "overlaps")
    flags, buffer = _flags(boxes)
    chunks = builder.let(cdiv(size, e.const(_WORD)), "i", "chunks")
    row = builder.let(builder.program(), "i", "row")
    own = builder.let(row * size, "i", "own")
    count = boxes.count(row)
    found = builder.declare(e.const(0), SCALAR, "i", "found")
    with builder.loop(chunks, hint="chunk") as chunk:
        first = builder.let(chunk * _WORD, "i", "first")
        line = builder.let((row * chunks + chunk) * size, "i", "line")
        flag = builder.declare(e.const(0), frozenset({0}), "i", "flag")
        with builder.when(boxes.goes_on(first < count, found)):
            gone = builder.declare(e.const(0), frozenset({0}), "i", "gone")
            with builder.loop(first, step=constant("BLOCK"), hint="step") as step:
                place = builder.let(step + builder.lanes("BLOCK"), "i", "place")
                before = builder.let(place < first, "m", "before")
                kept = builder.now(read(element(flags, own + place, (before,)), 0), "kept")
                known = builder.let(e.not_equal(kept, 0), "m", "known")
                word = builder.let(read(element(overlaps, line + place, (known,)), 0), "x", "word")
                builder.assign(gone, either_bits(gone, word))
            dead = builder.declare(e.const(0), SCALAR, "i", "dead")
            builder.assign(dead, across("or", gone, (0,)))
            mark = builder.declare(e.const(1), SCALAR, "i", "mark")
            with builder.loop(e.const(_WORD), kind=Kind.UNROLLED, hint="turn") as turn:
                place = builder.let(first + turn, "i", "box")
                there = builder.let(place < count, "m", "there")
                word = builder.let(read(element(overlaps, line + place, (there,)), 0), "x", "beats")
                alive = e.equal(both_bits(dead, mark), 0) & there
                if boxes.op.most:
                    alive = alive & (found < boxes.op.most)
                alive = builder.now(alive, "alive")
                builder.assign(dead, e.where(alive, either_bits(dead, word), dead))
                builder.assign(found, found + e.where(alive, 1, 0))
                mine = alive & e.equal(builder.lanes("BLOCK"), turn)
                builder.assign(flag, e.where(mine, 1, flag))
                builder.assign(mark, mark + mark)
        lane = builder.lanes("BLOCK")
        spot = builder.let(first + lane, "i", "spot")
        builder.store(element(flags, own + spot, (lane < _WORD, spot < size)), flag)
        builder.barrier()
    boxes.tell(row, found)
    why = f"{boxes.length} boxes a row, of which it is known whether they overlap too much"
    writes: tuple[Value | Scratch, ...] = (*task.node.outputs, *buffer)
    return task.kernel(
        builder, "suppress_scan", ("BLOCK",), config, (boxes.rows, 1), why, writes=writes
    )


def _begin(task: Task, node: Node) -> KernelBuilder:
    builder = task.builder()
    builder.place(node.location)
    return builder


def _words(node: Node) -> int:
    return -(-node.inputs[0].shape[1] // _WORD)


def _overlaps(node: Node) -> Scratch:
    """A word for a box says which of 32 boxes after it it overlaps too much; those of all boxes of
    a row lie side by side."""
    rows, length, _ = node.inputs[0].shape
    return Scratch(0, rows * _words(node) * length * I32.itemsize + 64)


def _flags(boxes: RowsOfBoxes) -> tuple[Expr, tuple[Scratch, ...]]:
    """Where it stands what was kept: in the result, if somebody reads it."""
    result: Value | None = boxes.wanted(0)
    if result is not None:
        return pointer_to(boxes.task, boxes.builder, result), ()
    scratch = Scratch(1, boxes.rows * boxes.length * I32.itemsize)
    return boxes.builder.pointer(scratch, I32, "flags"), (scratch,)
