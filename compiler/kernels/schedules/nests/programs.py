"""Which program runs which of a nest's outer loops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ir import expr as e
from ir.expr import Expr

from ...builder import KernelBuilder
from ...index import Base, IterationRange, split_range
from ...monomial import Monomial, product
from ...task import Task

SHARE = 4096  # elements of a program at least, where there are so many


class Programs:
    """Who does what: a program has some rows, or a stretch of one.

    ``rows``: extents of what counts them. ``each``: elements of one, or of one position of what it
    is cut along. ``together``: rows that belong to one program at least.
    """

    def __init__(
        self,
        task: Task,
        builder: KernelBuilder,
        rows: Sequence[Monomial],
        each: int,
        together: int = 1,
    ) -> None:
        self._task, self._builder, self._together = task, builder, together
        self._rows, self._each = rows, max(1, each)
        self._inner: Monomial | None = None
        self._stretch = 1

    def cut(self, inner: Monomial, width: int) -> None:
        """Along a loop, into stretches of a multiple of ``width``."""
        self._inner = inner
        length = min(self._task.number(inner.size), -(-SHARE // (self._each * self._together)))
        self._stretch = max(1, -(-length // width)) * width

    @property
    def _share(self) -> int:
        return max(self._together, SHARE // (self._stretch * self._each))

    @property
    def _chunks(self) -> int:
        return -(-self._inner.size // self._stretch) if self._inner else 1

    @property
    def count(self) -> int:
        """Of all programs."""
        return self._chunks * -(-product(self._rows).size // self._share)

    def rows(self) -> Iterator[tuple[list[Expr], Expr, Expr]]:
        """Of a program: places along what counts rows, and where the stretch begins and ends."""
        builder = self._builder
        program = builder.let(builder.program(), "i", "program")
        begin = end = e.const(0)
        if self._inner:
            chunks = builder.size(builder.amount(self._chunks, "chunks"))
            stretch = builder.size(builder.amount(self._stretch, "stretch"))
            begin = builder.let(program % chunks * stretch, "i", "begin")
            stop = builder.size(self._inner)
            end = builder.let(e.minimum(begin + stretch, stop), "i", "end")
            program = builder.let(program // chunks, "i") if self._rows else program
        if not self._rows:
            yield [], begin, end
            return
        share = builder.size(builder.amount(self._share, "share"))
        first = builder.let(program * share, "i", "first")
        last = builder.let(e.minimum(first + share, builder.size(product(self._rows))), "i", "last")
        with builder.loop(last, first, hint="row") as at:
            places = split_range(IterationRange(Base(at)), self._rows)
            yield [builder.index(place) for place in places], begin, end
