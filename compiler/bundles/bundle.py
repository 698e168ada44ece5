"""Launches put together: one launch that does the work of several."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.kernel import BESIDE, Config, Kernel, Launch
from compiler.kernels.launch import Light, given, parameter_of
from compiler.kernels.provenance import provenance, tiles_of
from compiler.plan.plan import PlanArgument
from ir.location import Location

from .body import BundledBody, BundlePart, PartKind, kinds_of

HEAD = "Small kernels in one launch, made by Roastery."
"""Begins the readable text."""
PART = "Kernel"
"""Begins what is said of a part."""


def bundle_of(parts: Sequence[BundlePart]) -> tuple[Launch, tuple[PlanArgument, ...]]:
    """The launch, and what the plan gives its kernel. The parts are light, and of one kind of
    tile; all get the configuration of those that do most in a program."""
    config = max((part.launch.config for part in parts), key=_elements)
    kinds = kinds_of(parts, config)
    bundled = BundledBody(kinds, config)
    body = bundled.body
    launches = tuple(part.launch for kind in kinds for part in kind.parts)
    first = kinds[0].parts[0]
    entry, source, text = first.light.ways.canonical(body)
    arguments = [argument for _, argument in text.arguments]
    launch = Launch(
        Kernel(entry, source, tuple(parameter_of(n, a, body.wide) for n, a in text.arguments)),
        config,
        tuple(map(given, arguments)),
        body.grid,
        BESIDE.join(launch.label for launch in launches),
        first.launch.location,
        body.writes,
        lambda: _readable(parts, config),
        lambda: BundledBody(kinds_of(parts, config), config).body,
        parts=launches,
    )
    return launch, tuple(bundled.values[argument] for argument in arguments)


def _elements(config: Config) -> tuple[int, int]:
    """In one program."""
    total = 1
    for _, extent in config.constants:
        total *= extent
    return total, config.num_warps


def _readable(parts: Sequence[BundlePart], config: Config) -> str:
    """Made anew: nodes are not kept."""
    kinds = kinds_of(parts, config)
    together = kinds[0].parts[0].light.ways.together
    assert together is not None, "who has none makes no light kernels"
    return together(_said_of(kinds, config), BundledBody(kinds, config).body)


def _said_of(kinds: Sequence[PartKind], config: Config) -> str:
    """Who is in it, and of each what it computes: once for those that differ in names alone."""
    numbers: dict[Light, int] = {}
    rows, texts = [], []
    for part in (part for kind in kinds for part in kind.parts):
        light, place = part.light, part.launch.location
        if light not in numbers:
            numbers[light] = len(numbers) + 1
            said = provenance(light.ways.task, light.body(config))
            texts.append(f"\n{PART} {numbers[light]}\n\n{said}")
        where = f"  {place}" if place != Location() else ""
        rows.append(f"    {numbers[light]}: {part.launch.label}{where}\n")
    return (
        f"{HEAD}\n\nParts\n{''.join(rows)}\nTiles\n    {tiles_of(config)}\n\n"
        "Run this file to compare the kernel with those of its parts on random numbers.\n"
        f"{''.join(texts)}"
    )
