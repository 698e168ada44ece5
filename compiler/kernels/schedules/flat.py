"""The flat schedule: one program per block of consecutive result elements."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.kernel import Config
from ir.expr import Expr

from ..builder import KernelBuilder
from ..choice import Choice
from ..emitter import Access
from ..expressions import constant
from ..index import Base, variable
from ..monomial import Monomial, product
from ..nodes import KernelBody
from ..task import Scheduled, Task
from .channel_rows import schedule_channel_rows
from .channels import schedule_channels


def positions(
    builder: KernelBuilder, count: int, filled_up: bool = True, extents: Sequence[Monomial] = ()
) -> Base:
    """Flat positions of the program's elements; ``count`` of them exist in the tensor.

    ``filled_up``: its buffer goes on to a multiple of 16 elements. ``extents``: whose product the
    count is, where they are known: if it is a multiple of 16 everywhere, accesses at other places
    than the position are vectors, too.
    """
    at = builder.let(builder.program() * constant("BLOCK") + builder.lanes("BLOCK"), "i", "offs")
    whole = product(extents)
    known = extents and whole.factor % 16 == 0
    total = whole if known else builder.amount(count, "count")
    padded = builder.amount(padded_count(count), "padded_count")

    def bound() -> Expr:
        return builder.let(at < builder.size(total), "m")

    def whole_buffer() -> Expr:
        # Buffers are padded to 16 elements, and this argument is declared a multiple of 16, so
        # that loads and stores at the position itself are vectors.
        return builder.let(at < builder.size(padded, divisible=True), "m")

    return Base(at, (bound,), whole_buffer if filled_up else None)


def padded_count(count: int) -> int:
    """Elements of a buffer, with its padding."""
    return -(-count // 16) * 16


def schedule_flat(task: Task) -> Scheduled:
    return schedule_channels(task) or schedule_channel_rows(task) or _in_blocks(task)


def _in_blocks(task: Task) -> Scheduled:
    count = task.number(task.body.outputs[0].value.type.memory_size)
    configs = task.heuristic.flat(task.body, count)
    return Scheduled(
        [Choice(config) for config in configs],
        lambda choice: [flat_kernel(task, choice.config)],
    )


def flat_kernel(
    task: Task, config: Config, name: str = "flat", why: str = "", suffix: str = ""
) -> KernelBody:
    body = task.body
    first = body.outputs[0].value.type
    emitter = task.emitter(1)
    filled_up = task.is_filled_up(first.memory_size)
    extents = emitter.extents(first.shape)
    blocks = first.layout is not None and any(part.block for part in first.layout.parts)
    counted = () if blocks else extents
    place = variable(positions(emitter.builder, first.memory_size, filled_up, counted))
    at = emitter.access_at(place, extents, first)
    for port, buffer in task.ports:
        type, own = port.value.type, at
        if type.shape != first.shape:
            position = emitter.address(at, first.logical) if first.layout else place
            sizes = emitter.extents(type.shape)
            own = Access(emitter.split(position, sizes), sizes, at.guard)
        alike = type.layout == first.layout and (not type.layout or type.shape == first.shape)
        alike &= not emitter.is_inside(port.value)
        element = emitter.emit(port.value, own)
        index = place if alike else emitter.place_of(port.value, own)
        # What fills up blocks is written too: that is no other memory, and numbers that are not
        # there may be slow to compute with.
        emitter.store(buffer, port.name, index, element, emitter.needed(own, type))
    block = config["BLOCK"]
    programs = -(-padded_count(first.memory_size) // block)
    said = why or f"{first.size} independent elements, {block} per program"

    def again(config: Config) -> KernelBody:
        return flat_kernel(task, config, name, why, suffix)

    builder, grid = emitter.builder, (programs, 1)
    return task.kernel(builder, name, ("BLOCK",), config, grid, said, suffix, light=again)
