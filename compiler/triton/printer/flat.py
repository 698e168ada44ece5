"""The flat schedule: one program per block of consecutive result elements."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.kernel import Config
from ir.graph import Graph, Value
from ir.op import Property

from .emitter import Access, Emit, Emitter
from .index import Base, Condition, delinearize, variable
from .kernels import Choice, Printed, Schedule, Scheduled, Task, make_launch, preferring
from .writer import Writer

# A program of light groups moves 4 or 8 elements per thread (16-byte accesses); groups
# with many inputs take half; groups with windows keep one or two per thread, because taps
# multiply what is in flight.
LIGHT = (Config((("BLOCK", 256),), num_warps=2), Config((("BLOCK", 1024),), num_warps=4))
BROAD = (Config((("BLOCK", 256),), num_warps=4), Config((("BLOCK", 512),), num_warps=4))
HEAVY = (Config((("BLOCK", 128),), num_warps=4), Config((("BLOCK", 256),), num_warps=4))
MANY_INPUTS = 8
LARGE = 2048  # elements per processor from which on the larger block still fills the device


def positions(writer: Writer, count: int) -> Base:
    """Flat positions of the program's elements; ``count`` of them exist in the tensor."""
    name = writer.let(f"{writer.program(0)} * BLOCK + tl.arange(0, BLOCK)", "i", "offs")
    axes = frozenset({0})
    total = writer.symbol(count, "count")
    padded = writer.symbol(padded_count(count), "padded_count")

    def bound() -> Condition:
        return writer.condition(f"{name} < {writer.size(total)}", axes)

    def whole_buffer() -> Condition:
        # Buffers are padded to 16 elements, and this argument is declared a multiple of 16, so
        # that loads and stores at the position itself are vectors.
        return writer.condition(f"{name} < {writer.size(padded, divisible=True)}", axes)

    return Base(name, axes, (bound,), whole_buffer)


def padded_count(count: int) -> int:
    """Elements of a buffer, with its padding."""
    return -(-count // 16) * 16


def schedule_flat(task: Task) -> Scheduled:
    size = task.body.outputs[0].value.type.size
    return Scheduled(
        [Choice(tile) for tile in tiles_for(task, size)],
        lambda choice: [make_launch(task, flat_schedule({}, choice.tile))],
    )


def tiles_for(task: Task, count: int) -> list[int]:
    """Numbers of configurations for a tensor of ``count`` elements, the best first."""
    large = count >= LARGE * task.options.target.processors
    return preferring(1 if large else 0, len(configs_of(task.body)))


def flat_schedule(
    given: Mapping[Value, Emit], tile: int, name: str = "flat", why: str = ""
) -> Schedule:
    """The schedule; values in ``given`` are not computed from their inputs but written so."""

    def schedule(task: Task, writer: Writer) -> Printed:
        body = task.body
        first = body.outputs[0].value
        writer.reserve("BLOCK")
        emitter = Emitter(body, writer, "[BLOCK]", given)
        emitter.bind(task.inputs)
        base = positions(writer, first.type.size)
        extents = emitter.extents(first.shape)
        for port, buffer in zip(body.outputs, task.outputs, strict=True):
            shape = port.value.shape
            own = extents if shape == first.shape else emitter.extents(shape)
            text = emitter.emit(port.value, Access(delinearize(base, own), own))
            emitter.store(buffer, port.name, variable(base), text)
        configs = configs_of(body)
        block = dict(configs[tile].constants)["BLOCK"]
        return Printed(
            name=name,
            constants=("BLOCK",),
            configs=configs,
            choice=tile,
            grid=(-(-padded_count(first.type.size) // block), 1, 1),
            writes=tuple(task.outputs),
            why=why or f"{first.type.size} independent elements, {block} per program",
        )

    return schedule


def configs_of(body: Graph) -> tuple[Config, ...]:
    loops = Property.LOCAL | Property.CONTRACTION
    if any(loops & n.op.properties for n in body.nodes):
        return HEAVY
    return BROAD if len(body.inputs) > MANY_INPUTS else LIGHT
