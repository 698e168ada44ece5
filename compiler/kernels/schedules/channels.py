"""Independent elements of images with the channels last, in tiles of positions and channels.

What is asked of a position (where it is in its image, which taps of a window exist) is computed
once for all its channels, which lie in the lanes and are read by 16 bytes. Groups with windows take
it; for others a block of consecutive elements is as good.
"""

from __future__ import annotations

import math

from compiler.kernel import Config
from ir.graph import Graph
from ir.op import Property
from ir.size import Size

from ..builder import KernelBuilder
from ..choice import Choice
from ..emitter import Access
from ..expressions import constant
from ..index import Affine, Base, delinearize, variable
from ..monomial import Monomial, product
from ..nodes import KernelBody
from ..task import Scheduled, Task

VECTOR = 4
"""Elements: channels are a multiple of them."""


def schedule_channels(task: Task) -> Scheduled | None:
    """None: a group of another kind."""
    order = _order(task.body)
    if order is None:
        return None
    *outer, inner = order
    shape = task.body.outputs[0].value.shape
    rows = math.prod(task.number(shape[axis]) for axis in outer)
    configs = task.heuristic.channels(rows, shape[inner])
    if not configs:
        return None
    choices = [Choice(config) for config in configs]
    return Scheduled(choices, lambda choice: [_kernel(task, order, choice.config)])


def _order(body: Graph) -> list[int] | None:
    """Axes of all results, the channels last, if they are images of the kind."""
    windows = Property.LOCAL | Property.CONTRACTION
    if not any(node.op.properties & windows for node in body.nodes):
        return None
    first, *others = (port.value.type for port in body.outputs)
    if any((t.shape, t.layout) != (first.shape, first.layout) for t in others):
        return None
    if first.layout is None or any(part.block for part in first.layout.parts):
        return None
    order = [part.axis for part in first.layout.parts]
    channels = first.shape[order[-1]]
    whole = not isinstance(channels, Size) and channels % VECTOR == 0
    return order if whole else None


def _kernel(task: Task, order: list[int], config: Config) -> KernelBody:
    emitter = task.emitter(2)
    builder = emitter.builder
    first = task.body.outputs[0].value
    extents = emitter.extents(first.shape)
    *outer, inner = order
    rows = product(extents[axis] for axis in outer)
    places: dict[int, Affine] = {}
    at = delinearize(tile_lanes(builder, "A", 0, rows, "row"), [extents[axis] for axis in outer])
    places.update(zip(outer, at, strict=True))
    places[inner] = variable(tile_lanes(builder, "B", 1, extents[inner], "channel", config["B"]))
    access = Access(tuple(places[axis] for axis in range(len(extents))), extents)
    for port, buffer in task.ports:
        emitter.write(port, buffer, access)
    channels = first.shape[inner]
    grid = (-(-rows.size // config["A"]), -(-channels // config["B"]))
    why = f"{config['A']} positions x {config['B']} of {channels} channels per program"
    return task.kernel(builder, "flat_channels", ("A", "B"), config, grid, why)


def tile_lanes(
    builder: KernelBuilder, name: str, along: int, extent: Monomial, hint: str, length: int = 0
) -> Base:
    """Those of the program's tile along one of its dimensions, ``A`` or ``B``.

    Args:
        along: the axis of the grid. length: of the tile's side, where it may be known to divide the
            extent.
    """
    start = builder.program(along) * constant(name)
    at = builder.let(start + builder.lanes(name, "AB".index(name)), "i", hint)
    if length and extent.constant is not None and extent.constant % length == 0:
        return Base(at)
    return Base(at, (lambda: builder.let(at < builder.size(extent), "m"),))
