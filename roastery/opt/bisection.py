"""Finds the rewrite that makes a graph wrong, by running the passes with less and less fuel."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence

from compiler.options import CompileOptions
from compiler.passes.context import UNBOUNDED
from compiler.passes.fuel import Fuel
from ir.errors import RoasteryError
from ir.graph import Graph
from ir.text import format_graph
from ir.verify import verify

from .comparison import Expected
from .passes import PassFailed, optimise

_MOST_LINES = 40  # of the change that a rewrite makes


def bisect(
    graph: Graph,
    names: Sequence[str],
    expected: Expected,
    say: Callable[[str], None],
    limit: int | None = None,
    options: CompileOptions = UNBOUNDED.options,
) -> bool:
    """Whether the passes keep the graph's meaning; if not, says which rewrite is the first wrong.

    Takes a run per halving of the number of rewrites. ``say`` gets the lines of the report,
    ``limit`` is the fuel that there is at all.

    Raises RoasteryError where the passes refuse the graph, whatever they rewrite.
    """

    def problems(limit: int | None, count: int = len(names)) -> list[str]:
        fuels.append(Fuel(limit))
        try:
            after = optimise(graph, names[:count], fuels[-1], options=options)
            verify(after)
        except (RoasteryError, ValueError) as error:
            refused = isinstance(error, RoasteryError) and not isinstance(error, PassFailed)
            if refused and limit == 0:
                raise  # whatever was rewritten, these passes do not fit the graph
            return [str(error).partition("\n")[0]]  # without the node, and what to try
        return expected.differences(after)

    fuels: list[Fuel] = []
    found = problems(limit)
    total = fuels[-1].spent
    if not found:
        say(f"right after all {total} rewrites of {', '.join(names) or 'no pass'}")
        return True
    unfuelled = problems(0)
    say(f"wrong after all {total} rewrites: {found[0]}")
    if unfuelled:
        count = next(n for n in range(len(names) + 1) if problems(0, n))
        say(f"wrong without a rewrite: {unfuelled[0]}")
        if count:
            say(f"the pass {names[count - 1]} takes no fuel for what it does")
        else:
            say("wrong without any pass, too: not a rewrite, but an op or its kernel is to blame")
        return False
    right, wrong = 0, total
    while wrong - right > 1:
        limit = (right + wrong) // 2
        if some := problems(limit):
            wrong, found = limit, some
        else:
            right = limit
        say(f"{'wrong' if some else 'right'} after {limit}")
    problems(wrong)
    say(fuels[-1].last)
    for line in found:
        say(f"  {line}")
    for line in _change(graph, names, wrong, options):
        say(f"  {line}")
    return False


def _change(
    graph: Graph, names: Sequence[str], number: int, options: CompileOptions
) -> Iterator[str]:
    """What the rewrite changes in the graph that the passes leave, as lines of a diff."""
    try:
        before, after = (
            format_graph(optimise(graph, names, Fuel(limit), options=options)).splitlines()
            for limit in (number - 1, number)
        )
    except RoasteryError:
        return
    lines = list(difflib.unified_diff(before, after, n=0, lineterm=""))[2:]
    lines = [line.rstrip() for line in lines if not line.startswith("@@")]
    yield from lines[:_MOST_LINES]
    if len(lines) > _MOST_LINES:
        yield f"... and {len(lines) - _MOST_LINES} lines more"
