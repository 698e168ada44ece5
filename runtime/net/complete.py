"""From where on the diffs of parameters are complete, in a pass over several partitions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from .context import After
from .partition import GraphChoice, RunningPartition


@dataclass(frozen=True, slots=True)
class Complete:
    """The last that writes a diff: nothing does after it, in the same pass.

    Attributes:
        part: the number of the partition.
        step: of the plan of its graph; None: the executor has no plan, and it is known when the
            partition has run.
    """

    part: int
    step: int | None


ForwardEnds = Callable[[], int | None]


class DiffWatch(Protocol):
    """Who is told of diffs as soon as they are complete, while the rest of a pass runs."""

    def calls(self, complete: Mapping[str, Complete], forward: ForwardEnds) -> Mapping[int, After]:
        """What to call in the pass that comes, by the numbers of partitions.

        Args:
            complete: where in it each diff is.
            forward: gives the step that ends forward, of the only graph of the pass; None: it has
                ended, or nobody knows when it does.
        """
        ...


PartGraph = tuple[int, RunningPartition, GraphChoice]
"""What runs of a net: the number of a partition, the partition, and which of its graphs."""


def complete_after(parts: Iterable[PartGraph]) -> dict[str, Complete]:
    """By the names of variables, where the diffs are complete that a pass writes.

    Args:
        parts: what runs, in this order. A variable that layers of several share is complete
            after the last.
    """
    return {
        name: Complete(number, step)
        for number, part, choose in parts
        for name, step in part.complete_after(choose).items()
    }
