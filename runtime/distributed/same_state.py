"""What ranks must have in common, and what each has for itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ir.graph import Role

from ..logging.solver_lines import NetOutput
from ..memory.buffers import Buffer
from ..memory.store import Store
from .ranks import Ranks


def saved_buffers(store: Store) -> Iterator[Buffer]:
    """What a snapshot holds of a net: parameters and statistics."""
    for name, variable in store.variables.items():
        if variable.index >= 0:
            yield store.data[name]


def average_statistics(ranks: Ranks, store: Store) -> None:
    """Give all ranks the mean of the statistics that each gathers of its own records, as
    BatchNorm does.

    They are sums with weights that do not depend on the records, so that it makes no difference
    how often this is done.
    """
    for name, variable in store.variables.items():
        if variable.index >= 0 and variable.role is Role.STATE:
            ranks.average_later(store.data[name])
    ranks.finish_averages()


def mean_outputs(ranks: Ranks, outputs: Sequence[NetOutput]) -> list[NetOutput]:
    """The outputs of a net, averaged over ranks; this rank's own where they have other sizes."""
    if ranks.count == 1:
        return list(outputs)
    each = ranks.gathered([output.values for output in outputs])
    return [
        replace(output, values=_mean([values[index] for values in each], output.values))
        for index, output in enumerate(outputs)
    ]


def _mean(each: Iterable[Sequence[float]], own: Sequence[float]) -> tuple[float, ...]:
    all = list(each)
    if any(len(values) != len(own) for values in all):
        return tuple(own)
    return tuple(sum(column) / len(all) for column in zip(*all, strict=True))
