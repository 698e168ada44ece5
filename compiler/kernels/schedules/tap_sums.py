"""The gradient of a depthwise convolution's weights over images with the channels last.

A program walks along some positions of the images, with channels in the lanes and one sum for
every tap in registers: so it reads both images once, by 16 bytes. The positions are split over
programs, whose sums a second launch adds in fixed order.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

from ir import expr as e
from ir.graph import Node
from ir.size import Size
from ir.types import TensorType

from ..choice import Choice
from ..emitter import Access
from ..expressions import across, constant
from ..index import Affine, Base, delinearize, variable
from ..monomial import Monomial, product
from ..nodes import KernelBody
from ..products import product_of, term_of
from ..task import Scheduled, Task
from .channels import tile_lanes
from .partials import Partials

MOST_TAPS = 32


def schedule_tap_sums(task: Task, anchor: Node) -> Scheduled | None:
    """None: of images in another order, or of too many taps."""
    shape = anchor.output.shape
    taps = math.prod(shape[1:])
    if not all(_has_channels_last(value.type) for value in anchor.inputs):
        return None
    if any(isinstance(extent, Size) for extent in shape) or taps > MOST_TAPS:
        return None
    depth = math.prod(extent.size for extent in product_of(task.emitter(2), anchor).depth)
    narrow = all(value.type.dtype.is_narrow for value in anchor.inputs)
    choices = [
        replace(choice, second=second)
        for choice in task.heuristic.tap_sums(task.number(depth), shape[0], narrow)
        for second in task.heuristic.flat(task.body, math.prod(shape))[:1]
    ]
    if not choices:
        return None

    def kernels(choice: Choice) -> list[KernelBody]:
        share, splits = choice.shares(-(-depth // choice.config["A"]))
        partials = Partials(anchor.output, splits)
        first = _sums(task, anchor, choice, partials, share)
        if choice.second is None or choice.splits == 1:
            return [first]
        return [first, partials.added(task, choice.second)]

    return Scheduled(choices, kernels)


def _has_channels_last(type: TensorType) -> bool:
    layout = type.layout
    if layout is None or any(part.block for part in layout.parts):
        return False
    return layout.parts[-1].axis == 1


def _sums(task: Task, anchor: Node, choice: Choice, partials: Partials, share: int) -> KernelBody:
    config = choice.config.having("SPLIT", int(choice.splits > 1))
    emitter = task.emitter(2)
    builder = emitter.builder
    view = product_of(emitter, anchor)
    extents = emitter.extents(anchor.output.shape)
    channels = extents[0]
    channel = tile_lanes(builder, "B", 0, channels, "channel", config["B"])
    rows = builder.size(product(view.depth))
    stretch = builder.size(builder.amount(share * config["A"], "share"))
    start = builder.let(builder.program(1) * stretch, "i", "start")
    end = builder.let(e.minimum(start + stretch, rows), "i", "end")
    builder.place(anchor.location)
    taps = [
        Access((variable(channel), *map(_place, tap)), extents)
        for tap in itertools.product(*(range(d) for d in anchor.output.shape[1:]))
    ]
    totals = [builder.declare(e.const(0.0), emitter.tile, "r", "sums") for _ in taps]
    lanes = builder.lanes("A", 0)
    with builder.loop(end, start, constant("A"), hint="step") as step:
        at = builder.let(step + lanes, "i", "row")
        row = Base(at, (lambda: builder.let(at < end, "m"),))
        depth = delinearize(row, view.depth)
        for total, access in zip(totals, taps, strict=True):
            inside = access.guarded(row.bounds[0]())
            builder.increase(total, term_of(emitter, view, view.find(inside), depth, inside))
    found = [builder.let(across("sum", total, (0,)), "v", "sum") for total in totals]
    with builder.when(constant("SPLIT")):
        for access, total in zip(taps, found, strict=True):
            partials.store(emitter, access, total)
    with builder.otherwise():
        for access, total in zip(taps, found, strict=True):
            emitter.preset(anchor.output, access, total)
            for port, buffer in task.ports:
                emitter.write(port, buffer, access)
    grid = (-(-anchor.output.shape[0] // config["B"]), partials.splits)
    written = [partials.scratch] if config["SPLIT"] else None
    why = f"{len(taps)} taps of {anchor.output.shape[0]} channels, in {partials.splits} parts"
    return task.kernel(builder, "tap_sums", ("A", "B"), config, grid, why, writes=written)


def _place(number: int) -> Affine:
    return Affine().shifted(Monomial.of(number))
