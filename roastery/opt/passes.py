"""Runs passes that may be wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from compiler.options import CompileOptions
from compiler.passes.context import UNBOUNDED, PassContext
from compiler.passes.fuel import Fuel
from compiler.passes.registry import find_pass
from ir.errors import RoasteryError
from ir.graph import Graph


class PassFailed(RoasteryError):
    """A pass ended with an error of its own: a defect of the pass."""


def optimise(
    graph: Graph,
    names: Sequence[str],
    fuel: Fuel,
    observe: Callable[[str, Graph], None] | None = None,
    options: CompileOptions = UNBOUNDED.options,
) -> Graph:
    """The graph after some passes; ``observe`` is called after each, with its name.

    Raises PassFailed; RoasteryError for what a pass refuses.
    """
    for name in names:
        try:
            after: object = find_pass(name)(graph, PassContext(options, fuel))
        except RoasteryError:
            raise
        except (Exception, SystemExit) as error:
            raise PassFailed(
                f"the pass {name} failed: {type(error).__name__}: {error}",
                hint="--debug shows where; --bisect finds the rewrite that it was",
            ) from error
        if not isinstance(after, Graph):
            raise PassFailed(
                f"the pass {name} gives {after!r:.60}, not a graph",
                hint="does it end with `return graph`?",
            )
        graph = after
        if observe is not None:
            observe(name, graph)
    return graph
