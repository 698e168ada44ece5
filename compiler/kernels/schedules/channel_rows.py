"""Independent elements with values of their channels, in tiles of rows and channels.

What belongs to a channel (a mean, a factor) is read and computed once for all rows of a program.
Where all rows of a tile exist, nothing is asked of them, and a thread's accesses are constants away
from its first ones.
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


def schedule_channel_rows(task: Task) -> Scheduled | None:
    """None: a group of another kind."""
    order = _order(task)
    if order is None:
        return None
    *outer, inner = order
    shape = task.body.outputs[0].value.shape
    rows = math.prod(task.number(shape[axis]) for axis in outer)
    configs = task.heuristic.channel_rows(task.body, rows, shape[inner])
    if not configs:
        return None
    choices = [Choice(config) for config in configs]
    return Scheduled(choices, lambda choice: [_kernel(task, order, choice.config)])


def _order(task: Task) -> list[int] | None:
    """Axes of all results as memory has them, the channels last, if the group is of the kind."""
    body = task.body
    gathers = Property.LOCAL | Property.CONTRACTION
    if any(node.op.properties & gathers for node in body.nodes):
        return None
    first, *others = (port.value.type for port in body.outputs)
    # What has no size that changes is a parameter's: it may share a launch, in another kernel.
    if not isinstance(first.size, Size):
        return None
    if any((t.shape, t.layout) != (first.shape, first.layout) for t in others):
        return None
    if first.layout is not None and any(part.block for part in first.layout.parts):
        return None
    order = list(range(len(first.shape)))
    if first.layout is not None:
        order = [part.axis for part in first.layout.parts]
    channels = first.shape[order[-1]]
    if isinstance(channels, Size):
        return None
    return order if _reads_channels(body, channels) or task.op.places else None


def _reads_channels(body: Graph, channels: int) -> bool:
    """Whether something is read of which each channel has one element."""
    counts = (port.value.type.size for port in body.inputs)
    return any(not isinstance(count, Size) and count == channels for count in counts)


def _kernel(task: Task, order: list[int], config: Config) -> KernelBody:
    emitter = task.emitter(2, apart=True)
    builder = emitter.builder
    first = task.body.outputs[0].value
    extents = emitter.extents(first.shape)
    *outer, inner = order
    rows = product(extents[axis] for axis in outer)
    row, channel = _tile(builder, rows, first.shape[inner], config["B"])

    def write(row: Base) -> None:
        at = delinearize(row, [extents[axis] for axis in outer])
        places: dict[int, Affine] = dict(zip(outer, at, strict=True))
        places[inner] = variable(channel)
        access = Access(tuple(places[axis] for axis in range(len(extents))), extents)
        for port, buffer in task.ports:
            emitter.write(port, buffer, access)

    last = row.parts[0] + constant("A")
    with builder.when(builder.let(last <= builder.size(rows), "m", "whole")):
        write(Base(row.at, parts=row.parts))
    with builder.otherwise():
        write(row)
    programs = -(-rows.size // config["A"]) * (first.shape[inner] // config["B"])
    why = f"{config['A']} rows x {config['B']} of {first.shape[inner]} channels per program"
    return task.kernel(builder, "channel_rows", ("A", "B"), config, (programs, 1), why)


def _tile(builder: KernelBuilder, rows: Monomial, channels: int, width: int) -> tuple[Base, Base]:
    """Rows and channels of a program; those that share rows run beside each other."""
    across = channels // width
    program = builder.program()
    first_row = builder.let(program // across * constant("A"), "i", "first_row")
    first_channel = builder.let(program % across * constant("B"), "i", "first_channel")
    below, beside = builder.lanes("A", 0), builder.lanes("B", 1)
    # Rows are asked for by what addresses are made of: what is needed once, compilers take apart.
    place = builder.let(below * channels + beside, "i", "lane")
    left = builder.let((builder.size(rows) - first_row) * channels, "i", "left")
    row = Base(
        first_row + below,
        (lambda: builder.let(place < left, "m"),),
        parts=(first_row, below),
    )
    return row, Base(first_channel + beside, parts=(first_channel, beside))
