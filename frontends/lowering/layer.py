"""Lower one layer: from its message and the values it reads to nodes and named tops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from frontends.prototxt.message import Message
from frontends.prototxt.printer import to_text
from ir import expr as e
from ir.build import Builder
from ir.graph import Value
from ir.location import Location
from ir.ops.movement import Reshape

from .context import LayerContext
from .known_layers import find_layer
from .registry import LoweredType


def lower_layer(ctx: LayerContext, stopped: Sequence[bool]) -> tuple[Value, ...]:
    """Build a layer on ``ctx.b``; returns its tops, each a value of its own.

    Args:
        stopped: per bottom, whether a gradient could flow to it, but may not.
    """
    b, m, values = ctx.b, ctx.layer, ctx.bottoms
    place = shown_place(m)
    with b.at(place, m.name), ctx.deciding(place):
        ctx.bottoms = tuple(
            b.map(e.stop(e.arg(0)), v) if stop else v
            for v, stop in zip(values, stopped, strict=True)
        )
        kind = ctx.kind
        found = kind if isinstance(kind, LoweredType) else find_layer(kind.name, place)
        made = found.lower(ctx)
    results = _checked_results(ctx, (made,) if isinstance(made, Value) else tuple(made))
    return tuple(_own(b, v, top, values, place) for v, top in zip(results, ctx.tops, strict=True))


def shown_place(m: Message) -> Location:
    """Where a layer stands. A layer over several lines is shown whole, in one: the line where it
    begins says nothing of it in dumps and kernels."""
    place = replace(m.location, layer=m.name)
    if not place.text.rstrip().endswith("{"):
        return place
    return replace(place, text=f"layer {{ {' '.join(to_text(m).split())} }}")


def _checked_results(ctx: LayerContext, made: tuple[Value, ...]) -> tuple[Value, ...]:
    """As many results as the layer has tops (Accuracy, say, makes a second one if asked)."""
    tops, blobs, specs = ctx.top_count, len(ctx.owned), len(ctx.layer.param)
    ctx.check(len(made) >= tops, f"{ctx.kind.title} makes {len(made)} tops, {tops} are named")
    ctx.check(
        specs <= blobs,
        f"{specs} `param` entries, but {ctx.kind.title} has {blobs} blobs here",
        "param",
        "there is one `param` for each blob (weights, bias ...): remove the last ones",
        blobs,
    )
    return made[:tops]


def _own(b: Builder, value: Value, top: str, bottoms: Sequence[Value], place: Location) -> Value:
    """A top's own value under the blob's name: a layer that passes a bottom on makes a view."""
    port = b.port(value)
    if value in bottoms or (port is not None and port.name != top):
        with b.at(place, top):
            return b.emit(Reshape(value.shape), value)
    if port is None:
        value.name = b.unique(top)
    return value
