"""How long the launches of a compiled graph take, and what they could take at best."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from compiler.compiled import CompiledGraph
from compiler.kernel import Config, Launch, Scratch
from compiler.kernels.expressions import DotKind
from compiler.kernels.launch import Light
from compiler.kernels.nodes import KernelBody
from compiler.kernels.task import AsNumber
from compiler.precision import HALF, IEEE, TF32X3
from compiler.target import Target
from compiler.traffic import Traffic, traffic
from ir.graph import Value
from ir.size import Evaluation

from ..heuristics.contract import rate_of
from .count import Counts, counted
from .kernel import work_of
from .processor import processor_of
from .time import BoundBy, Time, time_of
from .work import Work, work_of_all


@dataclass(frozen=True, slots=True)
class Prediction:
    """Of one launch.

    Attributes:
        times: how often it runs.
        nbytes: that it reads and writes in one run: of each tensor as much as it asks for, at most
            once. flops: of its product.
        time: of one run. least: seconds that its bytes take at the memory's bandwidth, or its
            product at the highest rate of its precision: the roofline.
    """

    launch: Launch
    times: int
    nbytes: int
    flops: int
    time: Time
    least: float


KnownTimes = dict[object, tuple[int, Time, float]]
"""What is predicted of launches at some sizes, by what decides it."""


def predictions(
    compiled: CompiledGraph, target: Target, known: KnownTimes | None = None
) -> Iterator[Prediction]:
    """Of every launch, in order, at the graph's sizes.

    ``known``: predictions of other graphs on the same target, to which more are added.
    """
    number = Evaluation(compiled.values).size
    known = {} if known is None else known
    for row in traffic(compiled):
        key = _alike(row, number)
        if key not in known:
            known[key] = _predicted(row, number, target)
        nbytes, time, least = known[key]
        yield Prediction(row.launch, row.times, nbytes, row.flops, time, least)


def _alike(row: Traffic, number: AsNumber) -> object:
    """What decides how long a launch takes."""
    launch = row.launch
    places: dict[object, int] = {}  # of the buffers: some may be one
    sizes: list[object] = []
    for argument in launch.arguments:
        if isinstance(argument, Value | Scratch):
            sizes.append((places.setdefault(argument, len(places)), row.sizes[argument]))
        elif isinstance(argument, int):
            sizes.append(number(argument))
    return launch.kernel, launch.config, tuple(map(number, launch.grid)), tuple(sizes)


def _nbytes(buffer: Value | Scratch, number: AsNumber) -> int:
    return number(buffer.nbytes if isinstance(buffer, Scratch) else buffer.type.nbytes)


def _predicted(row: Traffic, number: AsNumber, target: Target) -> tuple[int, Time, float]:
    launch, nbytes = row.launch, row.nbytes
    if launch.parts:
        works = [_work_of_part(part, launch.config, number, target) for part in launch.parts]
        work = work_of_all(works)
        return int(work.nbytes), time_of(work, target), work.nbytes / target.bandwidth
    if launch.body is None:  # nothing is known of it but its arguments
        least = nbytes / target.bandwidth
        return nbytes, Time(least, BoundBy.MEMORY), least
    nbytes, time, kind = _of_body(launch.body(), number, target, row.sizes)
    least = nbytes / target.bandwidth
    if kind is not None:
        least = max(least, row.flops / peak(kind, target))
    return nbytes, time, least


def _work_of_part(part: Launch, config: Config, number: AsNumber, target: Target) -> Work:
    """Of one of the kernels that share a launch, in its configuration."""
    assert isinstance(part.light, Light), "nothing else is a part"
    body = part.light.body(config)
    counts = counted(body, number)
    nbytes = _asked(body, counts, number, {})
    return work_of(body, counts, number, nbytes, target, rate_of)


def body_time(body: KernelBody, number: AsNumber, target: Target) -> Time:
    """Of one launch of a kernel."""
    return _of_body(body, number, target)[1]


def _of_body(
    body: KernelBody,
    number: AsNumber,
    target: Target,
    sizes: Mapping[Value | Scratch, int] = MappingProxyType({}),
) -> tuple[int, Time, DotKind | None]:
    """And the bytes that it moves, and how it multiplies. ``sizes``: in bytes, of what of its
    tensors may be asked for at most, if that is known."""
    counts = counted(body, number)
    nbytes = _asked(body, counts, number, sizes)
    work = work_of(body, counts, number, nbytes, target, rate_of)
    kind = counts.dots[0].kind if counts.dots else None
    matrix_units = kind is not None and _by_matrix_units(kind, target)
    return nbytes, time_of(work, target, matrix_units), kind


def _asked(
    body: KernelBody,
    counts: Counts,
    number: AsNumber,
    sizes: Mapping[Value | Scratch, int],
) -> int:
    """Bytes of the tensors that it reads and writes, as far as it does."""
    programs = math.prod(map(number, body.grid))
    total = 0
    for buffer, asked in counts.touched.items():
        size = sizes[buffer] if buffer in sizes else _nbytes(buffer, number)
        total += size if counts.uncertain else min(size, int(asked * programs))
    return total


def _by_matrix_units(kind: DotKind, target: Target) -> bool:
    return kind.precision != IEEE and (kind.precision == HALF or "tf32" in target.precisions)


def peak(kind: DotKind, target: Target) -> float:
    """Operations a second of products on a device, two for each multiply-add."""
    each = processor_of(target.capability).multiply_adds(kind.precision)
    products = 3 if kind.precision == TF32X3 else 1
    return 2 * each / products * target.processors * target.clock
