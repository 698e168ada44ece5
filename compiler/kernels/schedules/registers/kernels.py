"""The kernels of the register schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from compiler.kernel import Config
from ir.graph import Node

from ...choice import Choice
from ...nodes import KernelBody
from ...products import product_of
from ...task import Scheduled, Task
from ..contract import anchor_of
from ..joined import joined
from ..partials import Partials
from .form import LoopAxis, RegisterForm, extents_of, register_form, result_of
from .sums import Registers
from .tile import TileOrder
from .walked_window import WalkedWindow


class RegisterHeuristic(Protocol):
    """Says what is held in the registers of a CPU."""

    @property
    def lanes(self) -> int:
        """Elements of a vector."""

    def images_first(self, images: int, tiles: int, vectors: int, others: int) -> bool:
        """Whether all tiles along the lanes (so many) are better computed of one image, then of the
        next one, than of all images each. ``vectors``, ``others``: bytes of the operands."""

    def results_first(self, operands: int, result: int) -> bool:
        """Whether tiles are better computed in the order in which memory holds what they make.
        ``operands``, ``result``: bytes."""

    def registers(self, form: RegisterForm, extents: Mapping[LoopAxis, int]) -> Sequence[Choice]:
        """``R`` vectors times ``U`` positions, of ``V`` lanes, the best first. Along the outermost
        axis of the depth it may be split; not where lanes or blocks lie there."""


def schedule_registers(task: Task, heuristic: RegisterHeuristic) -> Scheduled:
    anchor = anchor_of(task.body)
    emitter = task.emitter(3)
    view = joined(emitter, anchor, product_of(emitter, anchor))
    form = register_form(emitter, anchor, view, heuristic.lanes)
    extents = {axis: task.number(extent.size) for axis, extent in extents_of(view).items()}
    choices = heuristic.registers(form, extents)
    second, *_ = task.heuristic.flat(task.body, task.number(anchor.output.type.memory_size))

    def images_first(config: Config) -> bool:
        images = LoopAxis("columns", 0)
        if form.lanes.kind != "rows" or form.single.kind != "columns" or form.single == images:
            return False
        if view.images is None:
            return False
        vectors, others = (
            task.number(value.type.memory_size) * value.type.dtype.itemsize
            for value in (view.left[0], view.right[0])
        )
        tiles = -(-extents[form.lanes] // (config["R"] * config["V"]))
        others = int(others * view.images)
        return heuristic.images_first(extents[images], tiles, vectors, others)

    def order(config: Config) -> TileOrder:
        if images_first(config):
            return "images"
        if form.lanes.kind in ("rows", "columns") and form.lanes not in form.blocks:
            left, right, result = (
                task.number(value.type.memory_size) * value.type.dtype.itemsize
                for value in (view.left[0], view.right[0], anchor.output)
            )
            if heuristic.results_first(left + right, result):
                return "results"
        return "vectors"

    def kernels(choice: Choice) -> list[KernelBody]:
        share, splits = choice.shares(view.depth[0].size)
        if choice.splits == 1:
            config = choice.config
            return [_kernel(task, anchor, config, order=order(config))]
        partials = Partials(anchor.output, splits)
        part = _kernel(task, anchor, choice.config, partials, share)
        return [part, partials.added(task, second)]

    return Scheduled(choices, kernels)


def _kernel(
    task: Task,
    anchor: Node,
    config: Config,
    partials: Partials | None = None,
    share: int = 0,
    order: TileOrder = "vectors",
) -> KernelBody:
    """``share``: steps along the outermost axis of the depth that one program takes, where there
    are ``partials``."""
    emitter = task.emitter(3)
    view = joined(emitter, anchor, product_of(emitter, anchor))
    kernel = Registers(emitter, anchor, view, config, order, share=share)
    builder = emitter.builder
    builder.place(anchor.location)
    lanes = f"{kernel.form.lanes.kind} {kernel.form.lanes.number}"
    why = f"{config['R']} vectors x {config['U']} in registers, lanes along {lanes}"
    if WalkedWindow.suits(kernel):
        kernel = WalkedWindow(emitter, anchor, view, config)
        kernel.write(task)
    elif partials is None:
        at = kernel.placed()
        kernel.store(task, at, kernel.summed(at))
    else:
        at = kernel.placed()
        total = kernel.summed(at)
        partials.store(emitter, result_of(view, at).guarded(*kernel.bounds(at)), total)
        why += f", depth split {partials.splits} ways to read from the cache"
    grid = (kernel.programs, partials.splits if partials else 1)
    written = [partials.scratch] if partials else []
    name, tile = anchor.op.name, ("U", "R", "V")
    return task.kernel(builder, name, tile, config, grid, why, writes=written or None)
