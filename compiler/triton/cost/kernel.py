"""The work of a printed kernel, counted in its nodes."""

from __future__ import annotations

from collections.abc import Callable

from compiler.kernel import Config
from compiler.kernels.expressions import DotKind
from compiler.kernels.nodes import KernelBody
from compiler.kernels.task import AsNumber
from compiler.target import Target

from .count import Counts
from .product import registers_of, shared_of, units_time
from .work import Work

RateOf = Callable[[DotKind, Config], float]
"""Of a tile, as :func:`.product.units_time` wants it."""

_REGISTERS = 24  # of a thread, besides what it holds of a tile
_ACROSS = 4  # bytes of shared memory for each thread, where lanes are brought together


def work_of(
    body: KernelBody,
    counts: Counts,
    number: AsNumber,
    nbytes: float,
    target: Target,
    rate_of: RateOf,
) -> Work:
    """Of a launch.

    Args:
        counts: what one of its programs does. number: what sizes are.
        nbytes: that memory moves for all of them.
    """
    programs = 1
    for extent in body.grid:
        programs *= number(extent)
    warps = body.config.num_warps
    if not counts.dots:
        held = counts.held / (32 * warps)
        return Work(
            programs,
            warps,
            int(_REGISTERS + held),
            _ACROSS * 32 * warps,
            instructions=counts.instructions,
            cached=counts.cached,
            waits=counts.waits,
            nbytes=nbytes,
        )
    (dot, *_) = counts.dots
    rate = rate_of(dot.kind, body.config)
    multiply_adds = dot.rows * dot.columns * dot.depth
    return Work(
        programs,
        warps,
        registers_of(body.config, dot.kind),
        shared_of(body.config, dot.kind),
        products=dot.times * units_time(multiply_adds, rate, dot.kind, target),
        instructions=counts.instructions,
        steps=dot.times,
        written=4.0 * dot.rows * dot.columns,
        nbytes=nbytes,
    )
