"""The flat schedule: one program per block of consecutive result elements."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.kernel import Config
from ir.expr import Expr
from ir.graph import Graph, Value
from ir.op import Property

from ..builder import KernelBuilder
from ..emitter import Access, Emit, Emitter
from ..expressions import constant
from ..index import Base, delinearize, variable
from ..nodes import KernelBody
from ..task import Choice, Scheduled, Task, preferring

# A program of light groups moves 4 or 8 elements per thread (16-byte accesses); groups
# with many inputs take half; groups with windows keep one or two per thread, because taps
# multiply what is in flight.
LIGHT = (Config((("BLOCK", 256),), num_warps=2), Config((("BLOCK", 1024),), num_warps=4))
BROAD = (Config((("BLOCK", 256),), num_warps=4), Config((("BLOCK", 512),), num_warps=4))
HEAVY = (Config((("BLOCK", 128),), num_warps=4), Config((("BLOCK", 256),), num_warps=4))
MANY_INPUTS = 8
LARGE = 2048  # elements per processor from which on the larger block still fills the device


def positions(builder: KernelBuilder, count: int) -> Base:
    """Flat positions of the program's elements; ``count`` of them exist in the tensor."""
    at = builder.let(builder.program() * constant("BLOCK") + builder.lanes("BLOCK"), "i", "offs")
    total = builder.symbol(count, "count")
    padded = builder.symbol(padded_count(count), "padded_count")

    def bound() -> Expr:
        return builder.let(at < builder.size(total), "m")

    def whole_buffer() -> Expr:
        # Buffers are padded to 16 elements, and this argument is declared a multiple of 16, so
        # that loads and stores at the position itself are vectors.
        return builder.let(at < builder.size(padded, divisible=True), "m")

    return Base(at, (bound,), whole_buffer)


def padded_count(count: int) -> int:
    """Elements of a buffer, with its padding."""
    return -(-count // 16) * 16


def schedule_flat(task: Task) -> Scheduled:
    size = task.body.outputs[0].value.type.size
    return Scheduled(
        [Choice(tile) for tile in tiles_for(task, size)],
        lambda choice: [flat_kernel(task, choice.tile)],
    )


def tiles_for(task: Task, count: int) -> list[int]:
    """Numbers of configurations for a tensor of ``count`` elements, the best first."""
    large = count >= LARGE * task.options.target.processors
    return preferring(1 if large else 0, len(configs_of(task.body)))


def flat_kernel(
    task: Task,
    tile: int,
    given: Mapping[Value, Emit] | None = None,
    name: str = "flat",
    why: str = "",
    suffix: str = "",
) -> KernelBody:
    """Values in ``given`` are not computed from their inputs but written so."""
    body = task.body
    first = body.outputs[0].value
    builder = task.builder()
    emitter = Emitter(body, builder, 1, given)
    emitter.bind(task.inputs)
    base = positions(builder, first.type.size)
    extents = emitter.extents(first.shape)
    for port, buffer in zip(body.outputs, task.outputs, strict=True):
        shape = port.value.shape
        own = extents if shape == first.shape else emitter.extents(shape)
        element = emitter.emit(port.value, Access(delinearize(base, own), own))
        emitter.store(buffer, port.name, variable(base), element)
    configs = configs_of(body)
    block = dict(configs[tile].constants)["BLOCK"]
    return KernelBody(
        name=name,
        body=builder.body,
        tile=("BLOCK",),
        constants=("BLOCK",),
        configs=configs,
        config=tile,
        grid=(-(-padded_count(first.type.size) // block), 1, 1),
        writes=tuple(task.outputs),
        why=why or f"{first.type.size} independent elements, {block} per program",
        suffix=suffix,
        wide=builder.wide,
    )


def configs_of(body: Graph) -> tuple[Config, ...]:
    loops = Property.LOCAL | Property.CONTRACTION
    if any(loops & n.op.properties for n in body.nodes):
        return HEAVY
    return BROAD if len(body.inputs) > MANY_INPUTS else LIGHT
