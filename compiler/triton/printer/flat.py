"""The flat schedule: one program per block of consecutive result elements."""

from __future__ import annotations

from compiler.kernel import Config
from ir.graph import Graph
from ir.op import Property

from .emitter import Emitter, Place
from .index import Base, Condition, digits, variable
from .kernels import Printed, Task
from .writer import Writer

# A program of light groups moves 4 or 8 elements per thread (16-byte accesses); groups
# with windows keep one or two per thread, because taps multiply what is in flight.
LIGHT = (Config((("BLOCK", 256),), num_warps=2), Config((("BLOCK", 1024),), num_warps=4))
HEAVY = (Config((("BLOCK", 128),), num_warps=4), Config((("BLOCK", 256),), num_warps=4))
LARGE = 1 << 18  # elements from which on the larger block still fills the device


def positions(writer: Writer, count: int) -> Base:
    """Flat positions of the program's elements; ``count`` of them exist in the tensor."""
    program = "tl.program_id(0).to(tl.int64)" if writer.wide else "tl.program_id(0)"
    name = writer.let(f"{program} * BLOCK + tl.arange(0, BLOCK)", "i", "offs")
    axes = frozenset({0})
    total, padded = writer.symbol(count, "count"), writer.symbol(_padded(count), "padded_count")

    def bound() -> Condition:
        return writer.condition(f"{name} < {writer.size(total)}", axes)

    def whole_buffer() -> Condition:
        # Buffers are padded to 16 elements, and this argument is declared a multiple of 16, so
        # that loads and stores at the position itself are vectors.
        return writer.condition(f"{name} < {writer.size(padded, divisible=True)}", axes)

    return Base(name, axes, (bound,), whole_buffer)


def _padded(count: int) -> int:
    return -(-count // 16) * 16


def print_flat(task: Task, writer: Writer) -> Printed:
    body = task.body
    first = body.outputs[0].value
    emitter = Emitter(body, writer, "[BLOCK]")
    emitter.bind(task.inputs)
    base = positions(writer, first.type.size)
    stored = []
    for port, buffer in zip(body.outputs, task.outputs, strict=True):
        value = port.value
        shared = value.shape == first.shape and stored
        extents = stored[0][0].extents if shared else emitter.extents(value.shape)
        place = Place(digits(base, extents), extents)
        stored.append((place, buffer))
        text = emitter.emit(value, place)
        emitter.store(buffer, port.name, variable(base), text)
    configs = HEAVY if is_heavy(body) else LIGHT
    choice = 1 if first.type.size >= LARGE else 0
    block = dict(configs[choice].constants)["BLOCK"]
    return Printed(
        name="flat",
        constants=("BLOCK",),
        configs=configs,
        choice=choice,
        grid=(-(-_padded(first.type.size) // block), 1, 1),
        writes=tuple(task.outputs),
        why=f"{first.type.size} independent elements, {block} per program",
    )


def is_heavy(body: Graph) -> bool:
    return any(Property.LOCAL in n.op.properties for n in body.nodes)


