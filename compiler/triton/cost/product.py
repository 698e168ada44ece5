"""The work of a matrix product in tiles, before there is a kernel."""

from __future__ import annotations

from compiler.kernel import Config
from compiler.kernels.expressions import DotKind
from compiler.kernels.products import ProductShape
from compiler.precision import HALF, IEEE, TF32X3
from compiler.target import Target

from .processor import processor_of
from .time import AHEAD, LATENCY, LAUNCH, time_of
from .work import Work

_RATED = (90, 132, 1.83e9)
"""The device that the rates of tiles are of: an H200. Capability, processors, clock."""
_REGISTERS = 64  # of a thread, besides its sums; a third more where factors are split or held
_MOST_REGISTERS = 255
FLOAT = 4


def product_time(
    shape: ProductShape, config: Config, rate: float, splits: int, factors: DotKind, target: Target
) -> float:
    """Seconds of a product whose depth is split so many ways, with the launch that adds parts."""
    work = product_work(shape, config, rate, splits, factors, target)
    seconds = time_of(work, target).seconds
    if splits > 1:
        results = FLOAT * shape.products * shape.rows * shape.columns
        seconds += LAUNCH + (splits + 1) * results / target.bandwidth
        seconds += LATENCY * -(-splits // AHEAD)
    return seconds


def product_work(
    shape: ProductShape, config: Config, rate: float, splits: int, factors: DotKind, target: Target
) -> Work:
    """What a launch does besides reading operands, which is the same for all tiles.

    Args:
        rate: see :func:`units_time`.
    """
    rows, columns, depth = (config[name] for name in "MNK")
    steps = -(-shape.steps(config) // splits)
    nbytes = FLOAT * shape.products * shape.rows * shape.columns * splits
    return Work(
        programs=shape.programs(config) * splits,
        warps=config.num_warps,
        registers=registers_of(config, factors),
        shared=shared_of(config, factors),
        products=steps * units_time(rows * columns * depth, rate, factors, target),
        steps=steps,
        written=FLOAT * rows * columns,
        nbytes=nbytes,
    )


def units_time(multiply_adds: int, rate: float, factors: DotKind, target: Target) -> float:
    """Seconds for which a processor multiplies.

    Args:
        rate: of a tile: 10^12 operations a second (two for each multiply-add) that its loop would
            do on an H200 if nothing else took time.
    """
    capability, processors, clock = _RATED
    rated = processor_of(capability).multiply_adds(factors.precision) * clock
    here = processor_of(target.capability).multiply_adds(factors.precision) * target.clock
    return 2 * multiply_adds / (rate * 1e12 / processors) * rated / here


def registers_of(config: Config, factors: DotKind) -> int:
    """Of a thread."""
    sums = config["M"] * config["N"] // (32 * config.num_warps)
    besides = _REGISTERS + (_REGISTERS // 2 if factors.precision == IEEE else 0)
    if factors.precision == TF32X3:
        sums *= 2  # those of a step, too
    return min(sums + besides, _MOST_REGISTERS)


def shared_of(config: Config, factors: DotKind) -> int:
    """Bytes of shared memory: tiles of both factors, for each stage."""
    itemsize = 2 if factors.precision == HALF else FLOAT
    return config.num_stages * (config["M"] + config["N"]) * config["K"] * itemsize
