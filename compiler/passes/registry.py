"""The passes by name: what ``--passes a,b`` and ``roastery opt`` choose from."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Protocol

from compiler.effort import NO_EFFORT, Effort
from compiler.image_layout import ROW_MAJOR
from compiler.target import Target
from ir.errors import RoasteryError
from ir.graph import Graph

from .autodiff import append_backward, drop_stop_gradient
from .bundle import bundle
from .channel_factors import channel_factors
from .channel_products import channel_products
from .checkpoint import checkpoint
from .context import PassContext
from .deviations import sum_deviations
from .freeze import fold_affine
from .fuse import fuse
from .layouts import choose_layouts
from .parts import place_parts
from .precision import narrow_storage
from .recompute import recompute
from .reuse_results import reuse_results
from .simplify import remove_dead_code, simplify


class Pass(Protocol):
    """A function of graphs. The first sentence of its docstring says what it does."""

    def __call__(self, graph: Graph, context: PassContext) -> Graph: ...


PASSES: dict[str, Pass] = {
    "bundle": bundle,
    "checkpoint": checkpoint,
    "channel_factors": channel_factors,
    "channel_products": channel_products,
    "deviations": sum_deviations,
    "differentiate": append_backward,
    "drop_stop_gradient": drop_stop_gradient,
    "fold_affine": fold_affine,
    "fuse": fuse,
    "layout": choose_layouts,
    "parts": place_parts,
    "precision": narrow_storage,
    "recompute": recompute,
    "remove_dead_code": remove_dead_code,
    "reuse_results": reuse_results,
    "simplify": simplify,
}

_OPTIMISING = ("drop_stop_gradient", "simplify", "reuse_results", "simplify")


def default_passes(target: Target, effort: Effort = NO_EFFORT) -> tuple[str, ...]:
    """The passes that suit a target, in order. Backward, if wanted, is already in the graph.

    Numpy runs a graph node by node: groups would only compute again what several of them read. On
    CPUs memory is what backward waits for, and a second pass over what a cache holds costs less
    than arithmetic; GPUs compute again where that is asked for, and every launch takes its time.
    """
    passes: tuple[str, ...] = _OPTIMISING
    if target.kind == "cuda":
        passes = (*passes[:-1], "deviations", "channel_factors", passes[-1])
    if effort.again and target.runs_kernels:
        passes = (*passes, "checkpoint")
    if (target.kind == "cpu" or effort.large) and target.runs_kernels:
        passes = (*passes, "recompute")
    if target.layout != ROW_MAJOR:
        passes = (*passes, "layout")
    if target.kind == "cuda":
        passes = (*passes, "parts")
    if target.runs_kernels:
        again = ("channel_products",) if target.kind == "cuda" else ()
        passes = (*passes, "fuse", *again, "precision")
    return (*passes, "bundle") if target.kind == "cuda" else passes


def register(name: str) -> Callable[[Pass], Pass]:
    """Decorator: make a pass known by a name. Raises ValueError if that is taken."""

    def add(step: Pass) -> Pass:
        if name in PASSES:
            raise ValueError(f"there is a pass '{name}' already")
        PASSES[name] = step
        return step

    return add


def find_pass(name: str) -> Pass:
    """The pass of a name. Raises RoasteryError, listing all, if there is none."""
    if name not in PASSES:
        raise RoasteryError(f"there is no pass '{name}'", detail=f"the passes are:\n{listing()}")
    return PASSES[name]


def passes_named(text: str) -> tuple[str, ...] | None:
    """What ``--passes`` says: names separated by commas; ``none``: no pass; ``default``: None.

    Raises RoasteryError for a name that is no pass's.
    """
    names = tuple(name for word in text.split(",") if (name := word.strip().replace("-", "_")))
    if names == ("default",):
        return None
    if names == ("none",):
        return ()
    for name in names:
        find_pass(name)
    return names


def listing() -> str:
    """A line for every pass: its name and what it does."""
    width = max(map(len, PASSES)) + 2
    return "\n".join(f"  {name:<{width}}{_summary(PASSES[name])}" for name in sorted(PASSES))


def _summary(step: Pass) -> str:
    text = (inspect.getdoc(step) or "").partition("\n\n")[0]
    return " ".join(text.replace("``", "`").split()).partition(". ")[0].rstrip(".")
