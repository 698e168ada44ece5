"""Rows that few programs share, so that few have memory of their own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from ir.expr import Expr
from ir.size import Size

from ..builder import KernelBuilder
from ..task import Task

_MOST = 64  # programs that are one thread: more than processors, so that those share them evenly


@dataclass(frozen=True, slots=True)
class RowShares:
    """``rows`` by programs that are one thread, each of which does some in turn; by others one."""

    task: Task
    rows: int

    @property
    def in_turn(self) -> bool:
        return self.task.heuristic.one_thread

    @property
    def programs(self) -> int:
        """How many there are; where there may be more rows another time, at least one for each
        processor."""
        if not self.in_turn:
            return self.rows
        least = self.task.options.target.processors if isinstance(self.rows, Size) else 1
        return min(_MOST, max(self.task.number(self.rows), least))

    @contextlib.contextmanager
    def each(self, builder: KernelBuilder) -> Iterator[tuple[Expr, Expr]]:
        """A row, and the number of the program; what is written inside is done for every row."""
        program = builder.let(builder.program(), "i", "program")
        if not self.in_turn:
            yield program, program
            return
        count = builder.size(builder.amount(self.rows, "rows"))
        programs = builder.size(builder.amount(self.programs, "programs"))
        with builder.loop(count, program, programs, hint="row") as row:
            yield row, program
